/** The commands of a block of shell, as words: comments, continued lines, quotes, without redirections. Enough for docs. */

export function shellCommands(code: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    const redirected = words.findIndex((one) => one === '<' || one === '>');
    if (words.length > 0) commands.push(redirected < 0 ? words : words.slice(0, redirected));
    words = [];
  };
  for (let i = 0; i < code.length; i++) {
    const char = code[i] ?? '';
    if (char === "'" || char === '"') {
      const end = code.indexOf(char, i + 1);
      word = (word ?? '') + code.slice(i + 1, end);
      i = end;
    } else if (char === '\\' && code[i + 1] === '\n') i++;
    else if (char === '\n' || char === '|') endCommand();
    else if (char === '#' && word === undefined) i = Math.max(i, (code.indexOf('\n', i) + 1 || code.length + 1) - 2);
    else if (/\s/.test(char)) endWord();
    else word = (word ?? '') + char;
  }
  endCommand();
  return commands;
}
