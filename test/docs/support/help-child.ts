import { run } from "../../../src/cli/run.ts";

/** Prints the overview and the help of every command in one process, each after a line such as `=== app set`. */
let overview = "";
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text: string | Uint8Array) => {
  overview += text;
  return true;
};
await run(["--help"], {}, "sallyport");
process.stdout.write = write;
// `app set`, `doctor`, …: the first words of each line of the overview.
for (const [, name = ""] of overview.matchAll(/^ {2}([a-z]+(?: [a-z]+)*)/gm)) {
  write(`=== ${name}\n`);
  await run([...name.split(" "), "--help"], {}, "sallyport");
}
