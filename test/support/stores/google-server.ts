/**
 * What Google Cloud Storage's JSON API does for images, as its documents have it: uploads in several requests, whole objects and parts of them, listings page by page. Objects are in memory. Nobody is asked who they are.
 * https://docs.cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What all requests of a resumable upload but the last are a multiple of. */
const unit = 256 * 1024;
const pageSize = 3;

interface Started {
  bucket: string;
  name: string;
  parts: Buffer[];
  size: number;
}

export interface GoogleServer {
  url: string;
  /** By `bucket/name`: a test may change what is stored. */
  objects: Map<string, Buffer>;
  /** Every request from now on is answered with this, or not at all. */
  fail: number | "silence" | undefined;
  close(): Promise<void>;
}

export async function startGoogle(host: string, buckets: readonly string[]): Promise<GoogleServer> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Started>();
  const server = createServer((request, response) => {
    if (state.fail === "silence") return;
    if (state.fail !== undefined) return void answer(response, state.fail, problem(state.fail));
    void handle({ request, response, url: new URL(request.url ?? "", state.url) });
  });

  async function handle(asked: Asked): Promise<void> {
    const [, upload, bucket = "", name] =
      // As other emulators: the SDK leaves `storage/v1` out where it finds STORAGE_EMULATOR_HOST by itself.
      /^\/(upload\/)?(?:storage\/v1\/)?b\/([^/]+)\/o(?:\/(.+))?$/.exec(asked.url.pathname) ?? [];
    const key = name === undefined ? undefined : `${bucket}/${decodeURIComponent(name)}`;
    if (!buckets.includes(bucket))
      return answer(asked.response, 404, problem(404, "The specified bucket does not exist."));
    if (upload !== undefined) return take(asked, bucket);
    if (key === undefined) return list(asked, bucket);
    return give(asked, key);
  }

  async function take({ request, response, url }: Asked, bucket: string): Promise<void> {
    const id = url.searchParams.get("upload_id");
    if (id !== null) return takePart(request, response, uploads.get(id));
    const body = await buffer(request);
    if (url.searchParams.get("uploadType") === "resumable") {
      const started = randomUUID();
      const name = url.searchParams.get("name") ?? (JSON.parse(body.toString()) as { name: string }).name;
      uploads.set(started, { bucket, name, parts: [], size: 0 });
      response.setHeader("Location", `${state.url}${url.pathname}?uploadType=resumable&upload_id=${started}`);
      return answer(response, 200, {});
    }
    answer(response, 400, problem(400, "only in several requests"));
  }

  async function takePart(
    request: IncomingMessage,
    response: ServerResponse,
    upload: Started | undefined,
  ): Promise<void> {
    if (upload === undefined) return answer(response, 404, problem(404));
    const body = await buffer(request);
    const [, from, to, total] =
      /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "") ?? [];
    if (from !== undefined) {
      if (Number(from) !== upload.size || (to !== "*" && total === "*" && body.length % unit !== 0))
        return answer(response, 400, problem(400, "this part does not follow"));
      upload.parts.push(body);
      upload.size += body.length;
    }
    if (to === "*" || total === String(upload.size))
      return store(response, upload.bucket, upload.name, Buffer.concat(upload.parts));
    if (upload.size > 0) response.setHeader("Range", `bytes=0-${upload.size - 1}`);
    return answer(response, 308, undefined);
  }

  function store(response: ServerResponse, bucket: string, name: string, content: Buffer): void {
    objects.set(`${bucket}/${name}`, content);
    answer(response, 200, about(name, content));
  }

  function give({ request, response, url }: Asked, key: string): void {
    const content = objects.get(key);
    if (content === undefined) return answer(response, 404, problem(404, `No such object: ${key}`));
    if (request.method === "DELETE") {
      objects.delete(key);
      return answer(response, 204, undefined);
    }
    if (url.searchParams.get("alt") !== "media")
      return answer(response, 200, about(key.slice(key.indexOf("/") + 1), content));
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return answer(response, 200, content);
    if (Number(from) >= content.length) return answer(response, 416, problem(416));
    const part = content.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
    response.setHeader("Content-Range", `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`);
    answer(response, 206, part);
  }

  function list({ response, url }: Asked, bucket: string): void {
    const prefix = url.searchParams.get("prefix") ?? "";
    const names = [...objects.keys()].flatMap((key) =>
      key.startsWith(`${bucket}/${prefix}`) ? [key.slice(bucket.length + 1)] : [],
    );
    const below = (name: string): string | undefined => /^[^/]*\//.exec(name.slice(prefix.length))?.[0];
    const all = [...new Set(names.map((name) => (below(name) === undefined ? name : prefix + below(name))))];
    const start = Number(url.searchParams.get("pageToken") ?? 0);
    const page = all.sort().slice(start, start + pageSize);
    const items = page.filter((name) => !name.endsWith("/"));
    answer(response, 200, {
      kind: "storage#objects",
      items: items.map((name) => about(name, objects.get(`${bucket}/${name}`) ?? Buffer.alloc(0))),
      prefixes: page.filter((name) => name.endsWith("/")),
      ...(start + pageSize < all.length && { nextPageToken: String(start + pageSize) }),
    });
  }

  const state: GoogleServer = {
    url: "",
    objects,
    fail: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  state.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return state;
}

interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
}

function answer(response: ServerResponse, code: number, content: object | Buffer | undefined): void {
  response.statusCode = code;
  if (content === undefined || Buffer.isBuffer(content)) return void response.end(content);
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(content));
}

function problem(code: number, message = "it failed"): object {
  return { error: { code, message, errors: [{ message, domain: "global", reason: "none" }] } };
}

function about(name: string, content: Buffer): object {
  const md5Hash = createHash("md5").update(content).digest("base64");
  return { kind: "storage#object", name, size: String(content.length), generation: "1", md5Hash };
}
