import { formatSize } from "../../units.js";
import { given, type MigrationContext } from "../context.js";
import { removeImage } from "../containers.js";
import { copyImage } from "../image-copy.js";
import { Meter } from "../progress.js";
import type { Step } from "../step.js";

/** The destination gets the very image that the source's container was made from. */
export const image: Step<MigrationContext> = {
  name: "image",
  title: "Bring the container image",
  kind: "reversible",
  run: async (context, signal) => {
    const { source, destination } = given(context.facts, "preflight's facts");
    const id = given(source.container, "the source's container").imageId;
    if (destination.imageId !== null)
      return context.tell({ kind: "said", text: `${destination.node} has it` });
    await context.journal?.append({ kind: "made", node: destination.node, what: "image", name: id });
    const meter = new Meter((bytes, total, rate) => context.tell({ kind: "moved", bytes, total, rate }));
    await copyImage(context, id, (bytes) => meter.update(bytes, source.imageSize), signal);
    context.tell({ kind: "said", text: `${formatSize(source.imageSize)} from ${source.node}` });
  },
  undo: async (context) => {
    const { source, destination } = given(context.facts, "preflight's facts");
    const id = given(source.container, "the source's container").imageId;
    if (destination.imageId !== null && context.journal?.made("image") !== true) return "it was there before";
    return removeImage(context.destination, id);
  },
};
