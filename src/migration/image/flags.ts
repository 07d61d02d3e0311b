/** What the commands that make or read an image share. */
import { Args, Flags } from "@oclif/core";
import { exitCodes, FastmigError } from "../../errors.js";
import type { Plan, PlanService } from "../../plan/plan.js";
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
