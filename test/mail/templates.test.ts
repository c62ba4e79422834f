import { describe, expect, test } from "bun:test";
import { inWordsOf, languageFor, languages } from "../../src/mail/languages.ts";
import { namesOf, render } from "../../src/mail/render.ts";
import {
  fromText,
  isTemplateName,
  SAMPLE_VALUES,
  templateProblems,
  toText,
  valuesOf,
} from "../../src/mail/template-text.ts";
import { FACTORS, TEMPLATE_VALUES, type Template } from "../../src/mail/templates/template.ts";

const names = Object.keys(TEMPLATE_VALUES).filter(isTemplateName);
const words = (body: string, subject = "s"): Template => ({ subject, body });

describe.each(Object.entries(languages))("the language %s", (code, language) => {
  test.each(names)("%s says what English says, and can be set as it is", (name) => {
    const template = language.templates[name];
    if (!template) throw new Error(`${code} has no ${name}: add it to src/mail/templates/${code}.ts`);
    const english = languages.en?.templates[name];
    const told = ({ subject, body }: Template) => [...new Set(namesOf(`${subject}\n${body}`))].sort();
    expect({ code, name, values: told(template) }).toEqual({ code, name, values: english ? told(english) : [] });
    expect(templateProblems(name, template)).toEqual([]);
    expect(fromText(toText(template))).toEqual(template);
    const rendered = render(template, inWordsOf(language, SAMPLE_VALUES), code);
    for (const part of Object.values(rendered)) expect(part).not.toMatch(/\{\{|\}\}|undefined/);
  });

  test("has a word for each factor, and no mail that another language has not", () => {
    expect(Object.keys(language.factors).sort()).toEqual([...FACTORS].sort());
    expect(Object.keys(language.templates).sort()).toEqual([...names].sort());
    expect(language.name).not.toBe("");
  });
});

test("a reader's first language that is there, else the tenant's, else English", () => {
  expect(languageFor("de-CH,de;q=0.9,en;q=0.8", "en")).toBe("de");
  expect(languageFor("fr,en;q=0.5,de;q=0.8", "en")).toBe("de");
  expect(languageFor("de;q=0,en", "de")).toBe("en");
  for (const wish of [null, "", "fr", "*", "constructor", "x".repeat(10_000)])
    expect(languageFor(wish, "de")).toBe("de");
  expect(languageFor(null, "toString")).toBe("en");
});

test("values in the words of the language", () => {
  const { de } = languages;
  if (!de) throw new Error("no German");
  expect(inWordsOf(de, { factor: "totp", device: "Firefox on Windows", address: "x" })).toEqual({
    factor: "Authenticator-App",
    device: "Firefox unter Windows",
    address: "x",
  });
  expect(inWordsOf(de, { factor: "toString", device: "" })).toEqual({ factor: "toString", device: "" });
});

describe("values are values (CWE-93, CWE-79)", () => {
  const evil = `<img src=x onerror=alert(1)>"'&</style><script>`;

  test("in HTML nothing of them is markup: in words, buttons, codes, the name on top and the title", () => {
    const body = `{{tenant}}\n\n[Go {{tenant}}]({{link}})\n\n{{code}}`;
    const { html } = render(
      words(body, "{{tenant}}"),
      { application: evil, tenant: evil, link: evil, code: evil },
      "en",
    );
    expect(html).not.toMatch(/<img|<script|onerror=alert\(1\)>"|<\/style><script/);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html.match(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g)?.length).toBeGreaterThanOrEqual(6);
  });

  test("line breaks and what turns text around are gone: no header, no paragraph, no reversed name", () => {
    const tenant = "Acme\r\nBcc: evil@example.org\r\n\r\nSign in at evil.example\u2028\u0000\u202egpj";
    const { subject, text } = render(words("Hello {{tenant}}.", "From {{tenant}}"), { tenant }, "en");
    const flat = "Acme Bcc: evil@example.org Sign in at evil.example gpj";
    expect([subject, text]).toEqual([`From ${flat}`, `Hello ${flat}.\n`]);
  });

  test("a value is not a source of further values, and no pattern", () => {
    const { text } = render(words("{{tenant}} {{code}}"), { tenant: "{{code}} $& $1", code: "1" }, "en");
    expect(text).toBe("{{code}} $& $1 1\n");
  });

  test("inherited names are no values", () => {
    expect(render(words("[{{toString}}] x {{constructor}}"), {}, "en").text).toBe("\n");
  });

  test("only links make buttons: a name that reads like an address leads nowhere", () => {
    const { html } = render(words("[Go]({{tenant}})"), { tenant: "javascript:alert(1)" }, "en");
    expect(html).not.toContain("<a ");
  });
});

test("a line that names an empty value is left out, and a paragraph with it", () => {
  const body = "Device: {{device}}\nTime: {{time}}\n\n[Go]({{home}})\n\nBye";
  expect(render(words(body), { device: "", time: "now", home: "" }, "en").text).toBe("Time: now\n\nBye\n");
});

test("the HTML loads nothing, is dark where people want it dark, and says its language", () => {
  for (const name of names) {
    const template = languages.de?.templates[name] ?? words("");
    const { html } = render(template, SAMPLE_VALUES, "de");
    expect(html).toContain('<html lang="de"');
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).not.toMatch(/<img|<link|<script|@import|url\(|src=/);
  }
});

describe("a template of a tenant's own", () => {
  const refusals: [name: "reset_password" | "new_device" | "test", template: Template, says: RegExp][] = [
    [
      "reset_password",
      words("{{link}} {{token}}"),
      /\{\{token\}\}: unknown value in reset_password.*\{\{link\}\}, \{\{code\}\}/,
    ],
    ["reset_password", words("{{link}}", "{{password}}"), /\{\{password\}\}: unknown value/],
    ["reset_password", words("Hello"), /must contain \{\{link\}\} or \{\{code\}\}/],
    ["reset_password", words("{{ link }}\n\n{{code}}"), /stands alone/],
    ["reset_password", words("{{link}} }}"), /stands alone/],
    ["reset_password", words("{{link}}\n\n[Go]({{tenant}})"), /A button can link to/],
    ["new_device", words("", "x"), /body must have/],
    ["new_device", words("x", ""), /subject must have/],
    ["new_device", words("x".repeat(20_001)), /body must have/],
    ["new_device", words("x", "a\rb"), /control characters/],
    ["test", words("{{application}}"), /\{\{application\}\}: unknown value in test/],
  ];
  test.each(refusals)("%s: %j is refused with what may stand there", (name, template, says) => {
    expect(templateProblems(name, template).join(" ")).toMatch(says);
  });

  test("is a text with a subject; Windows' line ends and byte order mark too", () => {
    expect(fromText("\ufeffSubject:  Hi \r\n\r\nOne\r\n\r\nTwo\r\n")).toEqual({ subject: "Hi", body: "One\n\nTwo" });
    expect(fromText("Hello\n\nSubject: no")).toBeNull();
  });

  test("may name each value that there is", () => {
    for (const name of names)
      expect(
        templateProblems(
          name,
          words(
            valuesOf(name)
              .map((v) => `{{${v}}}`)
              .join(" "),
          ),
        ),
      ).toEqual([]);
  });
});
