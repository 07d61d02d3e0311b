import { destinationMoves } from "./destination-moves.js";
import { endsByItself, isOver, laws } from "./laws.js";
import { outsideMoves } from "./outside-moves.js";
import { asBuilt, type Rules } from "./rules.js";
import { sourceMoves } from "./source-moves.js";
import { beginning, distilled, type Move, type World } from "./world.js";

export interface Explored {
  states: number;
  moves: number;
  /** The first way to a world that breaks a law, or from which no way leads to an end. */
  broken: { law: string; way: string[] } | null;
}

interface Found {
  world: World;
  /** By which move it was reached first. */
  from: number;
  by: string;
  /** Worlds from which a move leads here that is no fault: by a program, and by an operator's hand. */
  before: { program: number[]; operator: number[] };
}

/** Every world that can come about with so many faults, breadth first: the first broken law is shown by the shortest way. */
export function explore(faults: number, rules: Rules = asBuilt): Explored {
  const found: Found[] = [
    { world: beginning(faults), from: -1, by: "", before: { program: [], operator: [] } },
  ];
  const known = new Map([[keyOf(found[0]?.world), 0]]);
  let moves = 0;
  for (let at = 0; at < found.length; at += 1) {
    const { world } = found[at] as Found;
    const law = laws.find(({ holds }) => !holds(world));
    if (law !== undefined)
      return { states: found.length, moves, broken: { law: law.name, way: wayTo(found, at) } };
    for (const { name, by, to: reached } of movesFrom(rules, world)) {
      moves += 1;
      const to = distilled(reached);
      const key = keyOf(to);
      const next = known.get(key) ?? found.length;
      if (next === found.length) {
        known.set(key, next);
        found.push({ world: to, from: at, by: name, before: { program: [], operator: [] } });
      }
      if (by !== "fault") found[next]?.before[by].push(at);
    }
  }
  return { states: found.length, moves, broken: endless(found) };
}

const keyOf = (world: unknown): string => JSON.stringify(world);

function movesFrom(rules: Rules, world: World): Move[] {
  return [...sourceMoves(rules, world), ...destinationMoves(rules, world), ...outsideMoves(rules, world)];
}

/** A world from which, without a further fault, nothing leads to the end of the migration. */
function endless(found: readonly Found[]): Explored["broken"] {
  const stuck = firstStuck(found, ["program", "operator"], () => true);
  if (stuck !== -1) return { law: "every run can end", way: wayTo(found, stuck) };
  const alone = firstStuck(found, ["program"], endsByItself);
  return alone === -1 ? null : { law: "a run ends without an operator", way: wayTo(found, alone) };
}

function firstStuck(
  found: readonly Found[],
  by: readonly ("program" | "operator")[],
  concerns: (world: World) => boolean,
): number {
  const ends = new Set([...found.keys()].filter((at) => isOver((found[at] as Found).world)));
  for (const at of ends) {
    const { before } = found[at] as Found;
    for (const who of by) for (const earlier of before[who]) ends.add(earlier);
  }
  return found.findIndex(({ world }, at) => !ends.has(at) && concerns(world));
}

function wayTo(found: readonly Found[], at: number): string[] {
  const way: string[] = [];
  for (let here = at; here > 0; here = (found[here] as Found).from) way.unshift((found[here] as Found).by);
  return way;
}
