import { describe, expect, it } from "vitest";

import { isInsidePath } from "./inside-path.js";

describe("isInsidePath", () => {
  it.each([
    "weights.bin",
    "saved-model/variables/variables.data-00000-of-00001",
    ".hidden",
    "..data",
    "a..b",
    "...x/y",
    "größe/重み.bin",
    "with space/and (parentheses)",
    "console/common.txt",
    "nulls",
    "com10",
    "%2e%2e/x",
    "~/x",
    "\uFF0E\uFF0E/x",
  ])("takes %j", (path) => {
    expect(isInsidePath(path)).toBe(true);
  });

  it.each([
    ["empty", ""],
    ["the folder itself", "."],
    ["the parent", ".."],
    ["through the parent", "../x"],
    ["through the parent, later", "a/../../x"],
    ["through the parent, and back", "a/../b"],
    ["through the parent, at the end", "a/.."],
    ["a part that says nothing", "a/./b"],
    ["absolute", "/etc/passwd"],
    ["absolute, of the network", "//host/share"],
    ["an empty part", "a//b"],
    ["a slash at the end", "a/"],
    ["a backslash", "a\\b"],
    ["through the parent by backslashes", "..\\x"],
    ["absolute by a backslash", "\\x"],
    ["a device path", "\\\\.\\C:"],
    ["a drive", "C:/x"],
    ["a drive's current folder", "c:x"],
    ["a drive in the middle", "a/C:/x"],
    ["a stream", "weights.bin:hidden"],
    ["NUL", "a\0b"],
    ["NUL at the end", "a\0"],
    ["a line feed", "a\nb"],
    ["an escape sequence", "\u001B[2J"],
    ["a C1 control", "a\u0085b"],
    ["a parent that Windows cleans up", ".. /x"],
    ["a parent of three dots", ".../x"],
    ["a dot at the end", "a./x"],
    ["a space at the end", "a /x"],
    ["only a space", " "],
    ["a device", "nul"],
    ["a device in capitals", "a/CON/b"],
    ["a device with an extension", "com1.txt"],
    ["a device by a superscript digit", "LPT\u00B2.bin"],
  ])("refuses %s", (_name, path) => {
    expect(isInsidePath(path)).toBe(false);
  });
});
