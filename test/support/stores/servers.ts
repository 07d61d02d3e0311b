/** Servers that images are kept at, from Debian, in a root file system of their own: this machine installs none of it. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { cached } from "../../../src/lab/cache.js";
import { baseRecipe, type Recipe } from "../../../src/lab/recipe.js";
import { buildRoot, recipeKey } from "../../../src/lab/root.js";
import { confined, start } from "../../../src/lab/run.js";
import { waitFor } from "../../../src/wait.js";

const recipe: Recipe = { ...baseRecipe, packages: ["radosgw", "python3-moto", "python3-flask-cors"] };

export interface StoreServer {
  url: string;
  /** By which a client is told where it is and who asks. */
  access: Record<string, string>;
  stop(): Promise<void>;
}

export const bucket = "images";
const user = { AWS_ACCESS_KEY_ID: "AKFASTMIG", AWS_SECRET_ACCESS_KEY: "not a secret" };

/** Ceph's gateway, which checks who asks, on SQLite: there it gives back wrong what was sent in parts, or is asked for in parts. */
export async function startCeph(host: string): Promise<StoreServer> {
  const port = await freePort(host);
  const settings = [
    "[global]",
    "auth cluster required = none",
    "auth service required = none",
    "auth client required = none",
    "log to stderr = true",
    "run dir = /srv",
    "rgw data = /srv",
    "rgw backend store = dbstore",
    "rgw config store = dbstore",
    "dbstore db dir = /srv",
    "dbstore config uri = file:/srv/config.db",
    `rgw frontends = beast endpoint=${host}:${port}`,
  ];
  const ceph = "--no-mon-config -c /srv/ceph.conf";
  return startServer(host, port, [
    `printf '%s\\n' ${settings.map((line) => `'${line}'`).join(" ")} > /srv/ceph.conf`,
    // It has done its work once it answers; one time in twenty its threads wait for each other then.
    `radosgw-admin ${ceph} user create --uid fastmig --display-name fastmig --access-key '${user.AWS_ACCESS_KEY_ID}' --secret-key '${user.AWS_SECRET_ACCESS_KEY}' > /srv/user &`,
    "until grep -q '\"mfa_ids\"' /srv/user; do sleep 0.05; done",
    "kill -9 $! || true",
    `exec radosgw -f ${ceph} -n client.rgw --setuser root --setgroup root`,
  ]);
}

/** A model of Amazon's, in Python: it answers parts of objects as S3 does, and believes whoever asks. */
export async function startMoto(host: string): Promise<StoreServer> {
  const port = await freePort(host);
  return startServer(host, port, [`exec moto_server -H ${host} -p ${port}`]);
}

async function startServer(host: string, port: number, script: readonly string[]): Promise<StoreServer> {
  const root = await cached(`stores-${recipeKey(recipe)}`, (beside) =>
    buildRoot(recipe, beside, (line) => process.stderr.write(`${line}\n`)),
  );
  const lines = ["set -e", "mount -t tmpfs objects /srv", "mount -t proc proc /proc", ...script];
  const server = start(confined(["chroot", root, "sh", "-c", lines.join("\n")]));
  const ended = server.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const url = `http://${host}:${port}`;
  const access = { ...user, AWS_ENDPOINT_URL: url };
  await Promise.race([makeBucket(url), ended.then((why) => Promise.reject(why as Error))]);
  const stop = async (): Promise<void> => {
    server.kill("SIGKILL");
    await ended;
  };
  return { url, access, stop };
}

async function makeBucket(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: user.AWS_ACCESS_KEY_ID, secretAccessKey: user.AWS_SECRET_ACCESS_KEY };
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  const made = () => client.send(new CreateBucketCommand({ Bucket: bucket }));
  await waitFor("the store to make a bucket", made, { timeout: 15_000, interval: 200 });
  client.destroy();
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
