/** The source: its daemon by its table, CRIU and our hook in it, which go on without the daemon. */
import { transition, type SourceAction, type SourceEvent } from "../../../../../src/daemon/handover/table.js";
import { hasRun, holdsAll } from "./destination-moves.js";
import type { Rules } from "./rules.js";
import { note, say, source, including, without, type Move, type World } from "./world.js";

const step = (name: string, to: World): Move => ({ name: `source: ${name}`, by: "program", to });

export function sourceMoves(rules: Rules, world: World): Move[] {
  return [...criuMoves(rules, world), ...(world.source.up ? daemonMoves(rules, world) : [])];
}

/** The event is dealt with as the machine does: a row's state is journalled, its actions begin. */
export function take(rules: Rules, world: World, event: SourceEvent): World {
  const { state, doing } = world.source;
  const row = transition(rules.source, state, event);
  if (row === undefined) return world;
  const asks = ["dumping", "held", "asking"].includes(row.to);
  const goOn = asks ? doing : without(without(doing, "shipFinal"), "askPeer");
  const begun = row.do.filter((action) => !changesNothing(rules, world, action)).reduce(including, goOn);
  return source(world, { state: row.to, reborn: false, doing: begun });
}

/** Left out, as it would only double the worlds. */
function changesNothing({ imagesKept }: Rules, { said }: World, action: SourceAction): boolean {
  if (action === "tellReleased") return said.includes("released");
  if (action === "tellAborted") return said.includes("sourceAborted");
  return action === "ship" || (action === "bury" && imagesKept);
}

const hear = (world: World, event: SourceEvent): World =>
  source(world, { heard: [...world.source.heard, event] });

function daemonMoves(rules: Rules, world: World): Move[] {
  const { heard, doing, closed } = world.source;
  if (closed) return [];
  const [event, ...later] = heard;
  const moves: Move[] =
    event === undefined
      ? words(rules, world)
      : [step(`hears ${event}`, take(rules, source(world, { heard: later }), event))];
  for (const action of doing)
    for (const [name, to] of deeds[action](rules, world)) moves.push(step(name, to));
  return [...moves, ...following(world)];
}

/** What is asked of it comes in the same order as what it hears by itself. */
function words(rules: Rules, world: World): Move[] {
  const moves = [step("is told to abort", take(rules, world, "abort"))];
  if (world.source.state === "opened")
    moves.push(step("is told to switch over", take(rules, world, "switchover")));
  if (hasRun(world)) moves.push(step("is told that it is confirmed", take(rules, world, "confirm")));
  return moves;
}

/** What it hears of the CRIU that it follows: `held` first, where it came to that. */
function following(world: World): Move[] {
  const { follows, criu, images } = world.source;
  if (follows === "work" && (criu === "held" || images))
    return [step("sees CRIU hold", hear(source(world, { follows: "held" }), "held"))];
  if ((follows === "work" || follows === "held") && !isWorking(world))
    return [step("sees CRIU's end", hear(source(world, { follows: "end" }), "criuEnded"))];
  return [];
}

const isWorking = ({ source: { criu } }: World): boolean =>
  criu === "dumping" || criu === "held" || criu === "killing";

type Deed = (rules: Rules, world: World) => [name: string, to: World][];

const done = (world: World, action: SourceAction): World =>
  source(world, { doing: without(world.source.doing, action) });

const decide =
  (verdict: "released" | "aborted", action: SourceAction): Deed =>
  (rules, world) => {
    const first = world.source.verdict === null || !rules.verdictStands;
    const standing = first ? verdict : world.source.verdict;
    const decided = source(done(world, action), { verdict: standing });
    return [[action, hear(decided, standing === "released" ? "verdictReleased" : "verdictAborted")]];
  };

const deeds: Record<SourceAction, Deed> = {
  dump: (_rules, world) => {
    const after = done(world, "dump");
    const begun = source(after, { criu: "dumping", tree: "frozen", follows: "work" });
    return [
      ["freezes and dumps", begun],
      ["cannot dump", hear(after, "criuEnded")],
    ];
  },
  watchDump: (_rules, world) => {
    const after = done(world, "watchDump");
    return world.source.criu === "none"
      ? [["finds no CRIU", hear(after, "criuEnded")]]
      : [["finds its CRIU", source(after, { follows: "work" })]];
  },
  ship: (_rules, world) => [["ships", done(world, "ship")]],
  shipFinal: (_rules, world) => {
    const after = done(world, "shipFinal");
    const outcomes: [string, World][] = [["cannot ship", hear(after, "shipFailed")]];
    if (world.source.images) outcomes.push(["ships the last list", say(world, "final")]);
    if (world.said.includes("prepared"))
      outcomes.push(["hears that it is prepared", hear(after, "peerPrepared")]);
    if (world.said.includes("refused"))
      outcomes.push(["hears that it is refused", hear(after, "peerFailed")]);
    return outcomes;
  },
  askPeer: (rules, world) => {
    const after = done(world, "askPeer");
    // Its own verdict stands, or the last list was never on its way: there is nothing to ask.
    if (world.source.verdict === "aborted" || !world.said.includes("final"))
      return [["need not ask", hear(after, "peerFailed")]];
    const { up, state } = world.destination;
    if (!up || (state === "restoring" && rules.askedUntilSettled)) return [];
    const answer = holdsAll(world) ? "peerPrepared" : "peerFailed";
    return [["asks what the destination has", hear(after, answer)]];
  },
  createReleased: decide("released", "createReleased"),
  createAborted: decide("aborted", "createAborted"),
  awaitDeath: (_rules, world) => {
    const after = done(world, "awaitDeath");
    if (world.source.tree === "dead") return [["sees it dead", hear(say(after, "released"), "treeDead")]];
    if (isWorking(world)) return [];
    return [
      ["sees some of it alive", hear(after, world.source.tree === "partly" ? "treePartlyDead" : "treeAlive")],
    ];
  },
  examineTree: (_rules, world) => {
    const fates = { runs: "treeAlive", frozen: null, partly: "treePartlyDead", dead: "treeDead" } as const;
    const fate = isWorking(world) ? null : fates[world.source.tree];
    return fate === null ? [] : [["looks at the tree", hear(done(world, "examineTree"), fate)]];
  },
  killRest: (_rules, world) => [
    ["kills the rest", hear(source(done(world, "killRest"), { tree: "dead" }), "treeDead")],
  ],
  bury: (_rules, world) => [["buries it", source(done(world, "bury"), { images: false })]],
  tellReleased: (rules, world) => {
    const proven = world.source.tree === "dead" || !rules.proofIsDeath;
    return [["tells the release", proven ? say(done(world, "tellReleased"), "released") : world]];
  },
  tellAborted: (_rules, world) => [["tells the abort", say(done(world, "tellAborted"), "sourceAborted")]],
  restoreBack: (_rules, world) => {
    const after = done(world, "restoreBack");
    const failed: [string, World] = ["cannot restore it back", hear(after, "restoreFailed")];
    if (world.source.tree === "runs") return [["finds it restored", hear(after, "restoredBack")]];
    if (!world.source.images) return [["has nothing to restore", hear(after, "imagesGone")]];
    return [failed, ["restores it back", source(world, { tree: "runs" })]];
  },
  close: (_rules, world) => [
    ["closes", source(world, { closed: true, images: false, doing: [], heard: [], follows: "nothing" })],
  ],
};

/** CRIU and its hook obey the verdict file alone. */
function criuMoves(rules: Rules, world: World): Move[] {
  const { criu, verdict, tree } = world.source;
  const goesOn = note(source(world, { criu: "ended", tree: "runs" }), { wentOn: criu !== "dumping" });
  switch (criu) {
    case "dumping":
      return [
        step("CRIU has dumped all", source(world, { criu: "held", images: true })),
        step("CRIU fails", goesOn),
      ];
    case "held":
      if (verdict === "released") return [step("CRIU kills", source(world, { criu: "killing" }))];
      if (verdict === "aborted") return [step("CRIU lets the tree go", goesOn)];
      return [step("the lease is over", rules.hookDecides ? source(world, { verdict: "aborted" }) : goesOn)];
    case "killing":
      return tree === "frozen"
        ? [step("CRIU has killed some", source(world, { tree: "partly" }))]
        : [step("CRIU has killed all", source(world, { tree: "dead", criu: "ended" }))];
    case "orphaned": {
      const decided = rules.hookDecides ? (verdict ?? "aborted") : verdict;
      const after = source(world, { criu: "ended", verdict: decided });
      // What the tree does in the instant before somebody decides is lost where its container dies in the same instant.
      const wentOn = world.past.wentOn || decided !== "released";
      return [step("the hook misses CRIU", note(after, { wentOn }))];
    }
    default:
      return [];
  }
}

/** SIGKILL for CRIU. Whoever is not yet killed goes on by itself. */
export function killedCriu(world: World): World[] {
  const { criu, tree } = world.source;
  switch (criu) {
    case "dumping":
      return [
        source(world, { criu: "ended", tree: "runs" }),
        note(source(world, { criu: "ended", tree: "partly" }), { damaged: true }),
      ];
    case "held":
      return [source(world, { criu: "orphaned", tree: "runs" })];
    case "killing":
      return [source(world, { criu: "ended", tree: tree === "frozen" ? "runs" : "partly" })];
    default:
      return [];
  }
}
