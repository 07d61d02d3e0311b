/** Who may ask over the network: whoever has the token, or everybody where the operator said so. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { messageOf } from "../../errors.js";
import { exitCodes, Failure } from "../failure.js";

export interface Door {
  host: string;
  /** Null: nobody is asked who they are. */
  token: string | null;
  /** What the operator should know. */
  word: string | null;
}

const shut =
  "Listening on loopback only: a port without authentication would let anybody run programs here. " +
  "Go on with FASTMIG_TOKEN_FILE=FILE (a secret that clients send as `Authorization: Bearer SECRET`), or with FASTMIG_OPEN=1, which lets everybody in";

/** FASTMIG_TOKEN_FILE, FASTMIG_OPEN. Throws Failure where there is no token in the file. */
export async function openDoor(env: NodeJS.ProcessEnv): Promise<Door> {
  const file = env["FASTMIG_TOKEN_FILE"] ?? "";
  if (file !== "") return { host: "0.0.0.0", token: await readToken(file), word: null };
  if (env["FASTMIG_OPEN"] === "1")
    return { host: "0.0.0.0", token: null, word: "FASTMIG_OPEN=1: everybody who reaches this port may ask" };
  return { host: "127.0.0.1", token: null, word: shut };
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((thrown: unknown) => {
    throw new Failure(`FASTMIG_TOKEN_FILE: ${messageOf(thrown)}`, exitCodes.usage);
  });
  const token = text.split("\n")[0]?.trim() ?? "";
  if (token.length >= 16) return token;
  throw new Failure(
    `FASTMIG_TOKEN_FILE: the first line of ${file} has less than 16 characters`,
    exitCodes.usage,
  );
}

/** 401 to whoever has another token, or none; whether it lives, everybody may know. */
export function guarded(token: string | null, listener: RequestListener): RequestListener {
  if (token === null) return listener;
  const wanted = digest(`Bearer ${token}`);
  return (request, response) => {
    const given = digest(request.headers.authorization ?? "");
    if (request.url === "/healthz" || timingSafeEqual(given, wanted)) return listener(request, response);
    const body = { error: { code: "UNAUTHORIZED", message: "send the token: Authorization: Bearer SECRET" } };
    response.writeHead(401, {
      ...{ "content-type": "application/json", "www-authenticate": "Bearer", connection: "close" },
    });
    response.end(JSON.stringify(body));
  };
}

/** Of the same length, whatever was sent. */
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
