import { run } from "./cli/run.ts";

process.exitCode = await run(process.argv.slice(2), process.env);
// A command is over when it returns: no idle connection or timer keeps the process.
process.exit();
