/** Follows a checkpoint or a restore in a service's daemon to its end. */
import type { ImageWork } from "../../daemon/api.js";
import { exitCodes, FastmigError } from "../../errors.js";
import type { DaemonClient } from "../../remote/daemon-client.js";
import { Meter, type Progress } from "../progress.js";

/** Milliseconds that the daemon may wait for the end before it answers how it stands. */
const patience = 500;
/** Milliseconds in which a daemon has to be there again. */
const restart = 60_000;

export interface Followed {
  daemon: DaemonClient;
  id: string;
  /** Whose it is, for whoever draws it. */
  service: string;
  progress: Progress;
  signal: AbortSignal;
}

/** Answers when it is done. An interruption gives it up; throws where it failed, under the daemon's code. */
export async function followWork({ daemon, id, service, progress, signal }: Followed): Promise<ImageWork> {
  const meter = new Meter((bytes, total, rate) =>
    progress({ migration: service, kind: "moved", step: "image", bytes, total, rate }),
  );
  for (;;) {
    const work = await look(daemon, id, signal);
    if (work.bytes > 0) meter.update(work.bytes, null);
    if (work.state === "failed") throw failed(work, service);
    if (work.state === "done") return work;
    if (signal.aborted) {
      const ended = await daemon.abortImage(id);
      if (ended.state === "done") return ended;
      signal.throwIfAborted();
    }
  }
}

/** A daemon that dies is followed by another, which brings to an end what was under way. */
async function look(daemon: DaemonClient, id: string, signal: AbortSignal): Promise<ImageWork> {
  try {
    return await daemon.image(id, patience);
  } catch {
    await daemon.waitReady({ timeout: restart, interval: 200, signal });
    return daemon.image(id, 0);
  }
}

/** Nothing was touched where the image is to blame; else what stood before stands again. */
function failed({ verb, failure, phase }: ImageWork, service: string): FastmigError {
  const code = failure?.code ?? "FAILED";
  const untouched = code.startsWith("IMAGE_") && !["frozen", "publishing", "ending"].includes(phase);
  const after = verb === "checkpoint" ? `${service} goes on` : `nothing of ${service} runs here`;
  return new FastmigError(`${verb} of ${service}: ${failure?.message ?? "it failed"}; ${after}`, {
    code,
    exit: untouched ? exitCodes.preflight : exitCodes.rolledBack,
    details: failure?.log ?? [],
    ...(failure?.hint ? { hint: failure.hint } : {}),
  });
}
