import { RecentMap } from "../../core/recent-map.ts";

/** In this order: a system also names those that it stems from, or wants to be taken for. */
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
/** In this order: a browser also names those that it is made of, or wants to be taken for. */
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
/** A product token (RFC 9110 section 10.1.5) without dots: a mail program makes a link of `evil.example`. */
const PROGRAM = /^([A-Za-z][A-Za-z0-9_-]{1,30})\/\d/;
/** What stands first and says nothing. */
const NO_PROGRAMS: ReadonlySet<string> = new Set(["Mozilla", "Dalvik", "Apache"]);
/** No header of an honest client is longer; every pattern looks at no more than this. */
const LOOKED_AT = 512;
/** Answers of a pure function: every answer about a session asks for one, and the same few headers come again and again. */
const remembered = new RecentMap<{ device: string | null }>(1_000);

/**
 * What a User-Agent header says, for people: `Firefox on Windows`, `curl`. Without versions, so that an update makes no new
 * device; words of this list and a plain product name only, so that whoever writes the header cannot write to the reader.
 * @returns null for nothing that can be told
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
