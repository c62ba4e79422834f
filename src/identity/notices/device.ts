import { RecentMap } from "../../core/recent-map.ts";

/** The order matters: a system also names its ancestors and the systems that it imitates. */
const SYSTEMS: readonly [RegExp, string][] = [
  [/Windows Phone/, "Windows Phone"],
  [/Xbox/, "Xbox"],
  [/PlayStation/, "PlayStation"],
  [/Tizen|Web0S|SMART-TV|SmartTV|AppleTV|\bTV\b/, "TV"],
  [/iPhone|iPod/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/FreeBSD/, "FreeBSD"],
  [/OpenBSD/, "OpenBSD"],
  [/Linux|X11/, "Linux"],
];
/** The order matters: a browser also names its engines and the browsers that it imitates. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|OPT|OPiOS|OPX|Opera)\b/, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bYaBrowser\//, "Yandex Browser"],
  [/\b(?:DuckDuckGo|Ddg)\//, "DuckDuckGo"],
  [/\bBrave\//, "Brave"],
  [/\bUCBrowser\//, "UC Browser"],
  [/\bMiuiBrowser\//, "Mi Browser"],
  [/\bHuaweiBrowser\//, "Huawei Browser"],
  [/\bSilk\//, "Silk"],
  [/\bElectron\//, "Electron"],
  [/\bFBA[NV]\//, "Facebook"],
  [/\bInstagram\b/, "Instagram"],
  [/\bGSA\//, "Google app"],
  [/\b(?:Firefox|FxiOS|Focus)\//, "Firefox"],
  [/; wv\)/, "Android WebView"],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\b(?:Trident\/|MSIE )/, "Internet Explorer"],
  [/\bSafari\//, "Safari"],
];
/** A product token (RFC 9110 section 10.1.5) without dots: a mail program would turn `evil.example` into a link. */
const PROGRAM = /^([A-Za-z][A-Za-z0-9_-]{1,30})\/\d/;
/** Common first tokens that identify no program. */
const NO_PROGRAMS: ReadonlySet<string> = new Set(["Mozilla", "Dalvik", "Apache"]);
/** The maximum length that patterns examine. No honest client sends a longer header. */
const LOOKED_AT = 512;
/** A cache of this pure function. Every answer about a session calls it, and few distinct headers occur. */
const remembered = new RecentMap<{ device: string | null }>(1_000);

/**
 * Describes a User-Agent header for people: `Firefox on Windows`, `curl`. It omits versions, so that an update does not make a
 * new device. It uses only the words of this list and a plain product name, so that an attacker cannot send text to the reader
 * through the header.
 * @returns null if the header identifies nothing
 */
export function describeDevice(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  const text = userAgent.slice(0, LOOKED_AT);
  const known = remembered.get(text);
  if (known) return known.device;
  const device = nameDevice(text);
  remembered.set(text, { device });
  return device;
}

function nameDevice(text: string): string | null {
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
  const program = BROWSERS.find(([pattern]) => pattern.test(text))?.[1] ?? programOf(text);
  if (program !== null && system !== null) return `${program} on ${system}`;
  return program ?? system;
}

function programOf(text: string): string | null {
  const name = PROGRAM.exec(text)?.[1];
  return name === undefined || NO_PROGRAMS.has(name) ? null : name;
}
