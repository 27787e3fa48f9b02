/** Fields of a table for spreadsheets. Pure. */

/** A spreadsheet runs what begins like a formula: a key is never one. */
export function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
