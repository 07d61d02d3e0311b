import { BaseCommand } from "../base-command.js";
import type { PastMigration } from "../migration/history.js";

export default class List extends BaseCommand {
  static override summary = "the migrations that were begun on this machine, the oldest first";
  static override description = "Past ones and those under way, until `fastmig gc` forgets them.";
  static override examples = ["<%= config.bin %> list", "<%= config.bin %> list --json"];

  async run(): Promise<{ migrations: PastMigration[] }> {
    await this.parse(List);
    const [{ pastMigrations }, { migrationsDirectory }, { historyText }] = await Promise.all([
      import("../migration/history.js"),
      import("../migration/state-home.js"),
      import("../ui/history.js"),
    ]);
    const migrations = await pastMigrations(migrationsDirectory());
    this.log(migrations.length === 0 ? "no migration was begun here" : historyText(migrations));
    return { migrations };
  }
}
