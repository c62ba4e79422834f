import { invocation } from "./cli/invocation.ts";
import { run } from "./cli/run.ts";

const command = invocation({ main: Bun.main, argv0: process.argv0, cwd: process.cwd() });
process.exitCode = await run(process.argv.slice(2), process.env, command);
// Exits when the command returns, so that no idle connection or timer keeps the process alive.
process.exit();
