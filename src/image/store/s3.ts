/** Images in S3, or in whatever speaks like it. Loaded where one is asked for: its SDK is larger than the daemon. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { partsOf } from "../../pipe.js";
import { imageError } from "../errors.js";
import type { BucketUrl } from "../url.js";
import { BucketStore, type Listing } from "./bucket.js";
import type { Access } from "./access.js";
import type { Send } from "./upload.js";

/** The smallest that S3 takes, and at most 10,000 of them: a shard has up to 52 GB, and so much of it in memory. */
const partSize = 5 * 1024 * 1024;

export class S3Store extends BucketStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(url: BucketUrl, access: Access) {
    super(url);
    this.#client = new S3Client(configuration(access));
    this.#bucket = url.bucket;
  }

  async read(name: string): Promise<Buffer | undefined> {
    return bytesOf(await this.ifThere(() => this.#get(this.key(name))));
  }

  async readAt(name: string, at: number, length: number): Promise<Buffer | undefined> {
    const answer = await this.ifThere(() => this.#get(this.key(name), `${at}-${at + length - 1}`));
    if (answer !== undefined && answer.ContentRange?.startsWith(`bytes ${at}-`) !== true)
      throw imageError("IMAGE_STORE", `${this.url}: this store answers other bytes than it is asked for`);
    return bytesOf(answer);
  }

  async size(name: string): Promise<number | undefined> {
    const command = new HeadObjectCommand(this.#object(this.key(name)));
    return (await this.ifThere(() => this.#client.send(command)))?.ContentLength;
  }

  async write(name: string, content: string): Promise<void> {
    const command = new PutObjectCommand({ ...this.#object(this.key(name)), Body: content });
    await this.asked(() => this.#client.send(command));
  }

  async remove(names: readonly string[]): Promise<void> {
    const keys = names.map((name) => this.key(name));
    for (const key of keys)
      await this.asked(() => this.#client.send(new DeleteObjectCommand(this.#object(key))));
    for (const { Key = "", UploadId } of await this.#unfinished())
      if (keys.includes(Key)) await this.#giveUp({ ...this.#object(Key), UploadId });
  }

  protected async listing(prefix: string): Promise<Listing> {
    const here = { Bucket: this.#bucket, Prefix: prefix, Delimiter: "/" };
    const found: Listing = { names: [], below: [] };
    for await (const page of paginateListObjectsV2({ client: this.#client }, here)) {
      found.names.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
      found.below.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""));
    }
    return found;
  }

  protected async begin(key: string): Promise<Send> {
    // As its SDK's own uploader does: where checksums are wanted, those of the parts are put together.
    const wanted = (await this.#client.config.requestChecksumCalculation()) === "WHEN_SUPPORTED";
    const checksum = wanted ? { ChecksumAlgorithm: "CRC32" as const } : {};
    const object = this.#object(key);
    const create = new CreateMultipartUploadCommand({ ...object, ...checksum });
    const { UploadId } = await this.#client.send(create);
    return (pipe, signal) => this.#send({ ...object, UploadId }, checksum, pipe, signal);
  }

  protected async stream(key: string, at: number): Promise<Readable> {
    return (await this.#get(key, at === 0 ? undefined : `${at}-`)).Body as Readable;
  }

  /** What is asked for with HEAD says no more than that. */
  protected isMissing(thrown: unknown): boolean {
    return thrown instanceof Error && ["NoSuchKey", "NotFound"].includes(thrown.name);
  }

  async #send(
    target: Target,
    checksum: { ChecksumAlgorithm?: "CRC32" },
    pipe: number,
    abortSignal: AbortSignal,
  ): Promise<void> {
    const Parts: CompletedPart[] = [];
    try {
      for await (const Body of partsOf(pipe, partSize, abortSignal)) {
        const PartNumber = Parts.length + 1;
        const part = new UploadPartCommand({ ...target, ...checksum, PartNumber, Body });
        const { ETag, ChecksumCRC32 } = await this.#client.send(part, { abortSignal });
        Parts.push({ PartNumber, ETag, ChecksumCRC32 });
      }
      const command = new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } });
      await this.#client.send(command, { abortSignal });
    } catch (thrown) {
      await this.#giveUp(target).catch(() => undefined);
      throw thrown;
    }
  }

  async #giveUp(target: Target): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand(target));
  }

  /** What was begun and not finished, as far as one may know: a store's own rules for its users often leave that out. */
  async #unfinished(): Promise<{ Key?: string | undefined; UploadId?: string | undefined }[]> {
    const command = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.key("") });
    return (await this.#client.send(command).catch(() => undefined))?.Uploads ?? [];
  }

  /** @param range as HTTP has it, both ends included. */
  #get(key: string, range?: string): Promise<GetObjectCommandOutput> {
    const Range = range === undefined ? undefined : `bytes=${range}`;
    return this.#client.send(new GetObjectCommand({ ...this.#object(key), Range }));
  }

  #object(Key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key };
  }
}

interface Target {
  Bucket: string;
  Key: string;
  UploadId: string | undefined;
}

/** What an environment says counts before what the SDK finds by itself: a profile, an instance's or a pod's role. */
function configuration(access: Access): S3ClientConfig {
  const endpoint = access["AWS_ENDPOINT_URL_S3"] ?? access["AWS_ENDPOINT_URL"];
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = access;
  const { AWS_SESSION_TOKEN: sessionToken } = access;
  const credentials =
    accessKeyId && secretAccessKey
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }
      : {};
  return {
    region: access["AWS_REGION"] ?? access["AWS_DEFAULT_REGION"] ?? "us-east-1",
    followRegionRedirects: true,
    // A store of one's own rarely has a name for each bucket.
    ...(endpoint && { endpoint, forcePathStyle: true }),
    ...credentials,
    requestHandler: { connectionTimeout: 5000, socketTimeout: 30_000 },
  };
}

async function bytesOf(answer: GetObjectCommandOutput | undefined): Promise<Buffer | undefined> {
  const bytes = await answer?.Body?.transformToByteArray();
  return bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
