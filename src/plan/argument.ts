import { Args } from "@oclif/core";
import { defaultPlanPath } from "./plan.js";

/** The argument of every command that works on a plan. */
export const planArgument = Args.string({ description: "the plan file", default: defaultPlanPath });
