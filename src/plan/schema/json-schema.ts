import { planJsonSchema } from "./written-plan.js";

/** The JSON Schema as text that ends in a newline: what `plan schema` prints and docs/plan.schema.json holds. */
export function planSchemaText(): string {
  return `${JSON.stringify(planJsonSchema(), null, 2)}\n`;
}
