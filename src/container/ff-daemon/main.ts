import { connectToInit } from "../../daemon/host.js";
import { stopSignals } from "../../daemon/init-client.js";
import { messageOf } from "../../errors.js";
import { Failure } from "../failure.js";
import { Speech } from "../log.js";
import { FfDaemon } from "./ff-daemon.js";
import { Exited } from "./operations.js";
import { help, optionsOf } from "./options.js";

const speech = new Speech("daemon", 0);
let daemon: FfDaemon | undefined;
const processes = connectToInit(speech.log, (signal) => {
  if (!stopSignals.includes(signal)) return;
  if (daemon?.stop === undefined) void processes.init.shutdown(128 + signal);
  else daemon.stop();
});
try {
  const options = optionsOf(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(help);
    await processes.init.shutdown(0);
  } else {
    daemon = new FfDaemon(options, speech);
    await daemon.begin(processes);
  }
} catch (thrown) {
  const known = thrown instanceof Failure || thrown instanceof Exited ? thrown : undefined;
  for (const line of thrown instanceof Failure ? thrown.details : []) speech.say(line);
  speech.say(messageOf(thrown));
  await processes.init.shutdown(known?.exit ?? 1);
}
