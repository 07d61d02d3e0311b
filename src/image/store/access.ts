/** How a store is reached, and as whom. */
import { readFile } from "node:fs/promises";
import { messageOf } from "../../errors.js";
import { imageError } from "../errors.js";
import { formatImageUrl, type ImageUrl, parseImageUrl } from "../url.js";

/** Environment variables: by these the stores' own programs are told where the store is and who asks. */
export type Access = Readonly<Record<string, string | undefined>>;

/** The content of the file that GOOGLE_APPLICATION_CREDENTIALS names, where that is on another machine. */
export const googleCredentials = "FASTMIG_GOOGLE_CREDENTIALS";

const s3Variables = [
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"],
  ...["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"],
];

/**
 * Of an environment, what another machine needs in order to reach an image's store as this one would: secrets are among it.
 * Throws IMAGE_URL, and IMAGE_STORE where the file with Google's credentials cannot be read.
 */
export async function findAccess(text: string, environment: Access): Promise<Record<string, string>> {
  const url = parseImageUrl(text);
  if (url.scheme === "file") return {};
  if (url.scheme === "s3") return pick(environment, s3Variables);
  const { GOOGLE_APPLICATION_CREDENTIALS: file } = environment;
  const access = pick(environment, ["STORAGE_EMULATOR_HOST"]);
  if (file) access[googleCredentials] = await read(url, file);
  return access;
}

function pick(environment: Access, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value ? [[name, value]] : [];
    }),
  );
}

async function read(url: ImageUrl, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    const why = `GOOGLE_APPLICATION_CREDENTIALS cannot be read: ${messageOf(thrown)}`;
    throw imageError("IMAGE_STORE", `${formatImageUrl(url)}: ${why}`);
  }
}
