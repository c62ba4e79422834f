/** Offers the user a file. It uses a blob, so that the content is in no address. */
export function saveFile(name: string, content: string, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download keeps its own reference once it has begun.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
