import { expect, test } from "@jest/globals";
import { FastmigError } from "../../../src/errors.js";
import { below, formatImageUrl, parseImageUrl } from "../../../src/image/url.js";

test.each([
  ["file:/srv/images/redis", "file:/srv/images/redis"],
  ["/srv/images/redis", "file:/srv/images/redis"],
  ["file:///srv/images/redis/", "file:/srv/images/redis"],
  ["/", "file:/"],
  ["/a b/ü", "file:/a b/ü"],
  ["s3://bucket/images/redis", "s3://bucket/images/redis"],
  ["s3://my.bucket-1/images/", "s3://my.bucket-1/images"],
  ["gs://bucket", "gs://bucket"],
  ["gs://bucket/", "gs://bucket"],
])("%s is an image's place", (text, formatted) => {
  expect(formatImageUrl(parseImageUrl(text))).toBe(formatted);
});

test.each(["", "images/redis", "file:images", "http://host/x", "s4://bucket/x", "/a\0b"])(
  "%j is none, and the message says what one looks like",
  (text) => {
    expect(() => parseImageUrl(text)).toThrow(FastmigError);
    expect(() => parseImageUrl(text)).toThrow(/file:/);
  },
);

test.each([
  "s3:bucket/x",
  "s3://",
  "s3:///x",
  "gs://Bucket/x",
  "s3://bucket//x",
  "gs://bucket/a//b",
  "s3://b/a\0b",
])("%j is none in a bucket", (text) => {
  expect(() => parseImageUrl(text)).toThrow(/an image in a bucket is named as in (s3|gs):/);
});

test("a name below a place", () => {
  expect(formatImageUrl(below(parseImageUrl("/srv/images"), "redis"))).toBe("file:/srv/images/redis");
  expect(formatImageUrl(below(parseImageUrl("s3://bucket/images"), "redis"))).toBe(
    "s3://bucket/images/redis",
  );
  expect(formatImageUrl(below(parseImageUrl("gs://bucket"), "redis"))).toBe("gs://bucket/redis");
});
