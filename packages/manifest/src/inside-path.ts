/**
 * Tells whether `path` is a plain relative path that cannot lead out of its folder on any platform: no empty, `.` or
 * `..` part, not absolute, no backslash and no control character. Nor what Windows reads as something else: a colon
 * (drive or stream), a part that ends in a dot or a space (it drops them), a device name like `nul` or `com1.txt`.
 *
 * Reference: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
export function isInsidePath(path: string): boolean {
  return path.split("/").every((part) => /^[^\\:\p{Cc}]*[^\\:\p{Cc}. ]$/u.test(part) && !deviceName.test(part));
}

const deviceName = /^(con|prn|aux|nul|(com|lpt)[0-9\u00B9\u00B2\u00B3])(\.|$)/i;
