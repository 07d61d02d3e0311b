import { FastmigError, messageOf } from "../../errors.js";
import { imageError } from "../errors.js";

/** What a store or the way to it said, as an error that names the place: IMAGE_STORE. Ours stay as they are. */
export function refusal(url: string, thrown: unknown): FastmigError {
  if (thrown instanceof FastmigError) return thrown;
  const { name, code } = thrown as { name?: string; code?: unknown };
  const said = messageOf(thrown);
  const kind = name === undefined || name === "Error" || said.includes(name) ? "" : `${name}: `;
  const cause = said === "" ? String(code ?? "it did not answer") : said;
  const hint = hints.find(([pattern]) => pattern.test(`${kind}${cause}`))?.[1];
  return imageError("IMAGE_STORE", `${url}: ${kind}${cause}`, { cause: thrown, ...(hint && { hint }) });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /could not load( the default)? credentials|CredentialsProvider/i,
    "export who asks (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; GOOGLE_APPLICATION_CREDENTIALS): see docs/images.md",
  ],
  [/NoSuchBucket|bucket does not exist/i, "buckets are not made by fastmig"],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|TimeoutError|ETIMEDOUT/,
    "is its address right (AWS_ENDPOINT_URL, STORAGE_EMULATOR_HOST), and reached from there?",
  ],
];
