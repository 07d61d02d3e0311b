import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { exitCodes, FastmigError, messageOf } from "../errors.js";

/** `$XDG_STATE_HOME/fastmig`, else under `$HOME`, else (cron sets no HOME) under the home that the password file names. */
export function stateHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env["XDG_STATE_HOME"] !== undefined && env["XDG_STATE_HOME"] !== "")
    return join(env["XDG_STATE_HOME"], "fastmig");
  return join(
    env["HOME"] === undefined || env["HOME"] === "" ? passwdHome() : homedir(),
    ".local/state/fastmig",
  );
}

function passwdHome(): string {
  try {
    return userInfo().homedir;
  } catch (thrown) {
    throw new FastmigError(
      `no place for the journals: HOME and XDG_STATE_HOME are unset, and the password file does not know this user (${messageOf(thrown)})`,
      {
        code: "NO_STATE_HOME",
        exit: exitCodes.usage,
        hint: "set XDG_STATE_HOME to a directory that survives a reboot",
      },
    );
  }
}

/** Where the journals of this operator's migrations lie, one directory each. */
export function migrationsDirectory(env?: NodeJS.ProcessEnv): string {
  return join(stateHome(env), "migrations");
}
