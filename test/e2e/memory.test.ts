import { expect, test } from "@jest/globals";
import { type MigrationReport } from "../../src/migration/report.js";
import { onStage } from "../support/on-stage.js";
import { patternService } from "../support/services.js";
import { Witness } from "../support/witness.js";

const stage = onStage();

test.each(["direct", "relay"] as const)(
  "300 MB of patterned memory move there and back by %s",
  async (transfer) => {
    const cast = patternService(stage().lab.client.address, 300);
    const there = await stage().plan([cast], { transfer });
    const back = await stage().plan([cast], { transfer, from: "b", to: "a" });
    await stage().clients.collect();
    await stage().result("start", there);
    const witness = await Witness.of(stage(), cast, "a");

    const report = await migrated(there);
    expect(report.transfer).toMatchObject({ mode: transfer });
    expect(report.transfer.bytes).toBeGreaterThan(300 * 2 ** 20);
    await witness.servesOn("b");

    await migrated(back);
    await witness.servesOn("a");
  },
  120_000,
);

async function migrated(plan: string): Promise<MigrationReport> {
  const [report] = await stage().migrate(plan);
  return report as MigrationReport;
}
