import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY, systemClock, toWireTime } from "../core/clock.ts";
import * as z from "../core/zod.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** Days after which `doctor` warns. */
const OLD = 8;
const noteSchema = z.object({ at: z.number().int(), file: z.string() });

function noteFile(dataDirectory: string): string {
  return join(dataDirectory, "last-backup.json");
}

/** Notes a backup beside the data, for `doctor`. */
export function noteBackup(dataDirectory: string, file: string): void {
  try {
    writeFileSync(noteFile(dataDirectory), JSON.stringify({ at: systemClock.now(), file }), { mode: 0o600 });
  } catch {
    // A user who may only read the data can make a backup, which is worth more than the note.
  }
}

export function checkBackup(dataDirectory: string): Finding {
  const fix = "Make one each night: sallyport backup FILE. Ignore this if you copy the data by other means.";
  try {
    const { at, file } = noteSchema.parse(JSON.parse(readFileSync(noteFile(dataDirectory), "utf8")));
    const days = Math.floor((systemClock.now() - at) / DAY);
    const text = `The last backup by \`sallyport backup\` is of ${toWireTime(at)} (${file}).`;
    return days >= OLD ? warning("backup", text, fix) : ok("backup", text);
  } catch {
    return warning("backup", "`sallyport backup` has made no backup of this data yet.", fix);
  }
}
