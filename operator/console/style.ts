/** How the pages look, light or dark as the reader has it. */
export const STYLE = `:root { color-scheme: light dark; --line: #8886; --soft: #8881; --green: #1a7f37; --red: #b42318; }
@media (prefers-color-scheme: dark) { :root { --green: #4ac26b; --red: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .75rem 1.5rem; border-bottom: 1px solid var(--line); }
header > a { font-weight: 600; color: inherit; text-decoration: none; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { font-weight: 600; }
tbody th { font-weight: 400; }
.number { font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.5 ui-monospace, monospace; }
ins { text-decoration: none; color: var(--green); }
.phase { font-size: .9rem; font-weight: 400; border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .6rem; vertical-align: middle; }
.phase.approved, .phase.consumed { color: var(--green); }
.phase.denied { color: var(--red); }
.note { border-left: .25rem solid var(--line); padding: .25rem 1rem; }
label { display: block; }
input { width: 100%; padding: .5rem; margin: .25rem 0 .75rem; font: inherit; }
header input { display: none; }
button, .button { display: inline-block; min-height: 2.75rem; padding: .5rem 1.25rem; font: inherit; border: 1px solid var(--line); border-radius: .4rem; background: none; color: inherit; cursor: pointer; text-decoration: none; }
.approve { border-color: var(--green); color: var(--green); font-weight: 600; }
.deny { border-color: var(--red); color: var(--red); font-weight: 600; }
:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
`;
