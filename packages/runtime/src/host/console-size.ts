/** How large the terminal of a sandbox is to be, as an OCI config has it. */
interface ConsoleSize {
  readonly consoleSize?: { readonly width: number; readonly height: number };
}

/** The size of the terminal that this process writes to: crun gives the sandbox's no other. Empty where none tells it. */
export function consoleSize(): ConsoleSize {
  const terminal = [process.stdout, process.stderr].find(({ isTTY }) => isTTY);
  if (terminal === undefined || terminal.columns === 0 || terminal.rows === 0) return {};
  return { consoleSize: { width: terminal.columns, height: terminal.rows } };
}
