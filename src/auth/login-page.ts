/** What the browser shows at the end of a sign-in. */
export function loginPage({ title, text = "" }: { readonly title: string; readonly text?: string }): string {
  const style = "body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}";
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>codex: ${escapeHtml(title)}</title><style>${style}</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
</html>
`;
}

/** Some of it comes from the issuer, or from whoever opened the address. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
