import { expect, test } from "@jest/globals";
import { FastmigError } from "../../../src/errors.js";
import { below, formatImageUrl, parseImageUrl } from "../../../src/image/url.js";

test.each([
  ["file:/srv/images/redis", "file:/srv/images/redis"],
  ["/srv/images/redis", "file:/srv/images/redis"],
  ["file:///srv/images/redis/", "file:/srv/images/redis"],
  ["/", "file:/"],
  ["/a b/ü", "file:/a b/ü"],
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

test("a name below a place", () => {
  expect(formatImageUrl(below(parseImageUrl("/srv/images"), "redis"))).toBe("file:/srv/images/redis");
});
