import { BaseCommand } from "../../base-command.js";

export default class Schema extends BaseCommand {
  static override summary = "print the JSON Schema of a plan, for editors";
  static override examples = [
    {
      description:
        "for an editor with YAML support; then write `# yaml-language-server: $schema=plan.schema.json` on a plan's first line",
      command: "<%= config.bin %> plan schema > plan.schema.json",
    },
  ];
  // The schema is JSON as it is; wrapped in a result it would be none.
  static override enableJsonFlag = false;

  async run(): Promise<void> {
    await this.parse(Schema);
    const { planSchemaText } = await import("../../plan/schema/json-schema.js");
    this.log(planSchemaText().trimEnd());
  }
}
