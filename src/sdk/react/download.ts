/** Hands the person a file. By a blob: what is in it stands in no address. */
export function saveFile(name: string, content: string, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on it once it began.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
