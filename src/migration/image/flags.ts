/** What the commands that make or read an image share. */
import { Args, Flags } from "@oclif/core";
import { exitCodes, FastmigError } from "../../errors.js";
import type { Plan, PlannedCheckpoint, PlanService } from "../../plan/plan.js";
import { chooseService } from "../choose.js";

export const serviceArgument = Args.string({ description: "the service, where the plan has several" });

/** Of an image that this machine reads itself. */
export const urlArgument = Args.string({
  description: "file:PATH (a path of this machine), s3://BUCKET/PATH or gs://BUCKET/PATH",
  required: true,
});

export const passphraseFlag = {
  "passphrase-file": Flags.string({
    description: "a file whose first line is the image's passphrase",
    helpValue: "FILE",
  }),
};

/** The named service, or the only one. Throws UNKNOWN_SERVICE, SERVICE_NEEDED (exit 2). */
export function oneService(plan: Plan, name: string | undefined): PlanService {
  const names = Object.keys(plan.services);
  const [only] = names;
  if (name !== undefined || (names.length === 1 && only !== undefined))
    return chooseService(plan, name ?? only ?? "");
  throw new FastmigError(`${plan.path} has several services: an image is of one`, {
    code: "SERVICE_NEEDED",
    exit: exitCodes.usage,
    hint: `name one: ${names.join(", ")}`,
  });
}

/** Where images go or come from: as it is asked for, or as the plan has it. Throws IMAGE_PLACE (exit 2). */
export function imagePlace(asked: string | undefined, service: PlanService, flag: string): PlannedCheckpoint {
  const planned = service.checkpoint;
  if (asked !== undefined) return { to: asked, keep: null, every: null };
  if (planned !== null) return planned;
  throw new FastmigError(`nobody says where images of ${service.name} are`, {
    code: "IMAGE_PLACE",
    exit: exitCodes.usage,
    hint: `name it by ${flag}, or by \`checkpoint: { to: URL }\` in the plan`,
  });
}

/** Throws EVERY_JSON (exit 2): one JSON comes at the end, and there is none. */
export function refuseEndlessJson(): never {
  throw new FastmigError("images are made until it is interrupted, and --json is one result", {
    code: "EVERY_JSON",
    exit: exitCodes.usage,
    hint: "go without --json, or without `every` by naming --to",
  });
}
