/** Ceph, which images are kept at, from Debian in a root file system of its own: this machine installs none of it. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { cached } from "../../../src/lab/cache.js";
import { baseRecipe, type Recipe } from "../../../src/lab/recipe.js";
import { buildRoot, recipeKey } from "../../../src/lab/root.js";
import { confined, start } from "../../../src/lab/run.js";
import { waitFor } from "../../../src/wait.js";

const recipe: Recipe = { ...baseRecipe, packages: ["ceph-mon", "ceph-osd", "radosgw"] };

export interface StoreServer {
  url: string;
  /** By which a client is told where it is and who asks. */
  access: Record<string, string>;
  stop(): Promise<void>;
}

export const bucket = "images";
const user = { AWS_ACCESS_KEY_ID: "AKFASTMIG", AWS_SECRET_ACCESS_KEY: "not a secret" };

/** A cluster of one monitor and one store of objects, in memory, with its gateway. */
export async function startCeph(host: string): Promise<StoreServer> {
  const [port, monitor] = [await freePort(host), await freePort(host)];
  const root = await cached(`stores-${recipeKey(recipe)}`, (beside) =>
    buildRoot(recipe, beside, (line) => process.stderr.write(`${line}\n`)),
  );
  const script = clusterScript(host, monitor, port).join("\n");
  const server = start(confined(["chroot", root, "sh", "-c", script]));
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

const cluster = "6d1c2a1e-8d5e-4f0a-9a55-fa57319ce9b0";
const store = "0e0d9b1c-5d0a-4f5b-8a4c-fa57319ce9b0";

/** What `ceph-mon --mkfs` and its like want, step by step: https://docs.ceph.com/en/reef/install/manual-deployment/ */
function clusterScript(host: string, monitor: number, port: number): string[] {
  const settings = [
    ...["[global]", `fsid = ${cluster}`, `mon host = [v2:${host}:${monitor}]`],
    ...[`public addr = ${host}`, `cluster addr = ${host}`, "keyring = /srv/keyring"],
    ...[
      "log to stderr = true",
      "run dir = /srv",
      "mon data = /srv/mon",
      "osd data = /srv/osd",
      "rgw data = /srv",
    ],
    // One copy of everything, in memory; each change of the map at once, where a cluster gathers them for a second.
    ...["osd objectstore = memstore", "memstore device bytes = 12G", "osd pool default size = 1"],
    ...[
      "osd pool default pg num = 8",
      "osd pool default pg autoscale mode = off",
      "mon allow pool size one = true",
    ],
    ...["paxos propose interval = 0.02", "paxos min wait = 0.01"],
    ...["osd class load list = *", "osd class default list = *"],
    `rgw frontends = beast endpoint=${host}:${port}`,
  ];
  const ceph = "-c /srv/ceph.conf";
  const may = "--cap mon 'allow *' --cap osd 'allow *'";
  return [
    ...["set -e", "mount -t tmpfs objects /srv", "mount -t proc proc /proc", "mkdir /srv/osd"],
    `printf '%s\\n' ${settings.map((line) => `'${line}'`).join(" ")} > /srv/ceph.conf`,
    "ceph-authtool --create-keyring /srv/keyring --gen-key -n mon. --cap mon 'allow *'",
    `for name in client.admin osd.0; do ceph-authtool /srv/keyring --gen-key -n $name ${may}; done`,
    `monmaptool --create --addv a '[v2:${host}:${monitor}]' --fsid ${cluster} /srv/monmap`,
    `ceph-mon ${ceph} --mkfs -i a --monmap /srv/monmap --keyring /srv/keyring`,
    `ceph-mon ${ceph} -f -i a &`,
    `ceph ${ceph} osd new ${store}`,
    `ceph-osd ${ceph} -i 0 --mkfs --osd-uuid ${store}`,
    `ceph-osd ${ceph} -f -i 0 &`,
    `radosgw-admin ${ceph} user create --uid fastmig --display-name fastmig --access-key '${user.AWS_ACCESS_KEY_ID}' --secret-key '${user.AWS_SECRET_ACCESS_KEY}'`,
    `exec radosgw ${ceph} -f -n client.admin --setuser root --setgroup root`,
  ];
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
