/** What must be true in every world that can come about. */
import type { World } from "./world.js";

export interface Law {
  name: string;
  holds(world: World): boolean;
}

const sourceExecutes = ({ source }: World): boolean => source.tree === "runs" || source.tree === "partly";
const destinationExecutes = ({ destination }: World): boolean => destination.copy === "runs";

export const laws: readonly Law[] = [
  {
    name: "never two: only one side executes the service",
    holds: (world) => !(sourceExecutes(world) && destinationExecutes(world)),
  },
  {
    name: "never two owners: only one side's journal says that it is its own",
    holds: ({ source, destination }) =>
      source.container === "fenced" ||
      destination.container === "fenced" ||
      !(
        ["aborted", "reclaimed"].includes(source.state) &&
        (destination.state === "running" ||
          (destination.state === "confirmed" && destination.verdict === "running"))
      ),
  },
  {
    name: "what executed at the destination never executes at the source again, unless the operator fenced it",
    holds: (world) => world.destination.container === "fenced" || !(world.past.ran && sourceExecutes(world)),
  },
  {
    name: "never back in time: the destination does not run what the source went on from",
    holds: ({ source, past }) => source.container === "fenced" || !(past.ran && past.wentOn),
  },
  {
    name: "what executed is never restored from its images again",
    holds: ({ destination, past }) => !past.ran || !["restoring", "held"].includes(destination.criu),
  },
  {
    name: "never none: somewhere there is a tree, or an image that can be restored",
    holds: (world) => isSomewhere(world) || isMourned(world),
  },
  {
    name: "what is kept for the service goes only when the service is somebody's",
    holds: ({ source, destination }) =>
      !(source.closed && source.state === "confirmed") ||
      ["running", "confirmed"].includes(destination.state),
  },
];

function isSomewhere({ source, destination }: World): boolean {
  const there = source.tree === "runs" || source.tree === "frozen" || source.images;
  const here = destination.copy === "held" || destination.copy === "runs" || destination.images;
  return there || here;
}

/** What no protocol can bring back: the only memory was lost with its owner's container, or both were. */
function isMourned({ destination, past }: World): boolean {
  if (past.damaged || past.diedAlone || past.died.length === 2) return true;
  return past.died.includes("destination") && ["running", "confirmed"].includes(destination.state);
}

/** The migration is over at both ends; a fenced one has no say. */
export function isOver({ source, destination }: World): boolean {
  return (
    (source.closed || source.container === "fenced") &&
    (destination.closed || destination.container === "fenced")
  );
}

/** What only an operator can say: who was fenced, and what becomes of a copy that died, may have begun to run, or failed twice. */
export function endsByItself({ source, destination, past }: World): boolean {
  if (source.container === "fenced" || destination.container === "fenced") return false;
  return !past.died.includes("destination") && destination.trace !== "touched" && !destination.failedBefore;
}
