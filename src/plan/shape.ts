import type * as z from "zod";
import { nearest } from "../nearest.js";
import { atKey, atValue, type Path, type Problem } from "./problem.js";
import { planJsonSchema, WrittenPlan } from "./schema/written-plan.js";

type JsonSchema = z.core.JSONSchema.BaseSchema;
type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** Every place where the values have not the shape of a written plan. `written` gives a value as the file has it. */
export function shapeProblems(data: unknown, written: (path: Path) => string | undefined): Problem[] {
  const parsed = WrittenPlan.safeParse(data, { error: (issue) => wrongType(issue, written) });
  const problems = (parsed.error?.issues ?? []).flatMap(problemsOf);
  // Another version's keys would only look unknown.
  const version = problems.filter(({ path }) => path[0] === "version" && isNumbered(data));
  return version.length > 0 ? version : problems;
}

function isNumbered(data: unknown): boolean {
  return typeof data === "object" && data !== null && "version" in data;
}

function problemsOf(issue: Issue): Problem[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => atKey([...issue.path, key], unknownKey(issue.path, key)));
  if (issue.code === "invalid_union") {
    const meant = issue.errors.find((branch) => branch.some(isInside));
    if (meant !== undefined)
      return meant.map((one) => ({ ...one, path: [...issue.path, ...one.path] })).flatMap(problemsOf);
  }
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => atKey(issue.path, message));
  return [atValue(issue.path, issue.message)];
}

/** The value has the form of that alternative; something in it is wrong. */
function isInside({ code, path }: Issue): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}

function unknownKey(path: Path, key: string): string {
  const known = knownKeys(path);
  const meant = nearest(key, known);
  return `unknown key; ${meant === undefined ? `known here: ${known.join(", ")}` : `did you mean ${meant}?`}`;
}

/** The keys that may stand in the map at that path. */
export function knownKeys(path: Path): string[] {
  const schema = path.reduce<JsonSchema | undefined>(stepInto, planJsonSchema());
  return Object.keys(propertiesOf(schema));
}

function stepInto(schema: JsonSchema | undefined, step: PropertyKey): JsonSchema | undefined {
  const next =
    propertiesOf(schema)[String(step)] ??
    (typeof step === "number" ? schema?.items : schema?.additionalProperties);
  return typeof next === "object" && !Array.isArray(next) ? next : undefined;
}

/** Of the alternatives of a value one at most is a map. */
function propertiesOf(schema: JsonSchema | undefined): NonNullable<JsonSchema["properties"]> {
  return schema?.properties ?? schema?.anyOf?.map(propertiesOfOne).find((found) => found !== undefined) ?? {};
}

function propertiesOfOne(schema: JsonSchema | boolean): JsonSchema["properties"] {
  return typeof schema === "boolean" ? undefined : schema.properties;
}

/** The message of a value of the wrong type; undefined leaves it to zod. */
function wrongType(issue: RawIssue, written: (path: Path) => string | undefined): string | undefined {
  if (issue.input === undefined) return "is missing";
  if (issue.code === "invalid_value") return `has to be ${alternatives(issue.values)}`;
  if (issue.code !== "invalid_type") return undefined;
  return wanted(issue.expected, written(issue.path ?? []));
}

/** `text`: the plain value that stands there instead, undefined where it is a list or a map. */
function wanted(type: string, text: string | undefined): string {
  switch (type) {
    case "string":
      return text === undefined
        ? "has to be text"
        : `${text || "nothing"} is not text here; quote it: ${JSON.stringify(text)}`;
    case "array":
      return text ? `write it as a list: [${text.trim().split(/\s+/).join(", ")}]` : "has to be a list";
    case "object":
    case "record":
      return "has to be a map of keys and values";
    case "boolean":
      return "has to be true or false";
    default:
      return "has to be a number";
  }
}

function alternatives(values: readonly unknown[]): string {
  return values.length === 1 ? `${String(values[0])}, which is all there is so far` : values.join(" or ");
}
