import { FastmigError, exitCodes } from "../errors.js";
import { nft } from "./network.js";
import { attempt, run } from "./run.js";
import { labNode, type LabState } from "./state.js";

/** An end of a path through the lab: a node's name, or one of the two that are none. */
export type Endpoint = string;

/** From now on no packet passes between the two; connections hang, as on a link that was pulled. */
export async function cut(state: LabState, one: Endpoint, other: Endpoint): Promise<void> {
  await run(nft(state, ["add", "element", "bridge", "lab", "cuts", pairs(state, one, other)]));
}

/** Undoes `cut`; where nothing was cut it changes nothing. */
export async function heal(state: LabState, one: Endpoint, other: Endpoint): Promise<void> {
  await attempt(nft(state, ["delete", "element", "bridge", "lab", "cuts", pairs(state, one, other)]));
}

/** Undoes every cut. */
export async function healAll(state: LabState): Promise<void> {
  await run(nft(state, ["flush", "set", "bridge", "lab", "cuts"]));
}

/** `heal` between two ends, `healAll` where none is named; says which it was. One end alone is refused. */
export async function healed(
  state: LabState,
  one: Endpoint | undefined,
  other: Endpoint | undefined,
): Promise<[Endpoint, Endpoint] | "all"> {
  if (one === undefined) {
    await healAll(state);
    return "all";
  }
  if (other === undefined) {
    throw new FastmigError(`heal between ${one} and what?`, {
      code: "LAB_HEAL",
      exit: exitCodes.usage,
      hint: "two ends, or none for every cut",
    });
  }
  await heal(state, one, other);
  return [one, other];
}

function pairs(state: LabState, one: Endpoint, other: Endpoint): string {
  const [left, right] = [port(state, one), port(state, other)];
  return `{ "${left}" . "${right}", "${right}" . "${left}" }`;
}

function port(state: LabState, end: Endpoint): string {
  return end === "controller" || end === "client" ? end : labNode(state, end).name;
}
