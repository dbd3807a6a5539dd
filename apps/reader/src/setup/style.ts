/** Style of the reader's pages: the colours and shapes of the main page, light and dark. Contrast of text is at least 4.5 : 1. */
const LIGHT = `color-scheme:light;--ground:#f4f5f2;--surface:#fff;--sunken:#eceeea;--line:#dfe3de;--line-strong:#8a948e;--ink:#18201d;--muted:#56615c;--accent:#1f5fae;--on-accent:#fff;--in:#1f5fae;--in-soft:#d5e4f6;--out:#a34a07;--good:#1c7446;--good-soft:#dcf0e4;--warn:#8f4500;--warn-soft:#fdeccf;--bad:#b3261e;--bad-soft:#fbe2df;--l1:#0b6e66;--l2:#6d3fd1;--l3:#b3195f;--grid:#e6e9e5;--shadow:0 1px 2px rgb(20 30 25/6%),0 4px 16px rgb(20 30 25/5%)`;
const DARK = `color-scheme:dark;--ground:#121517;--surface:#1a1e21;--sunken:#0f1214;--line:#2b3136;--line-strong:#6b757c;--ink:#e8ecea;--muted:#a4afaa;--accent:#82b4f3;--on-accent:#0b1624;--in:#82b4f3;--in-soft:#1c3350;--out:#f2ae4b;--good:#6fcb98;--good-soft:#16301f;--warn:#f5b75f;--warn-soft:#3c2b10;--bad:#ff9a90;--bad-soft:#45201d;--l1:#56d3c6;--l2:#b9a2ff;--l3:#f78fbf;--grid:#252b30;--shadow:0 1px 2px rgb(0 0 0/30%),0 6px 20px rgb(0 0 0/22%)`;

export const STYLE = `
:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${DARK}}}
:root[data-theme=dark]{${DARK}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
h1{font-size:1.5rem;line-height:1.2;margin:.2rem 0 1rem}
h2{font-size:1.05rem;line-height:1.3;margin:0 0 .4rem}
h3{font-size:.95rem;margin:0}
p{margin:.3rem 0}
a{color:var(--accent)}
code{font:.85em/1.4 ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
[hidden]{display:none!important}
.hide{position:absolute;width:1px;height:1px;margin:-1px;padding:0;border:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:6px}
.skip{position:absolute;left:-999px;top:0;background:var(--surface);padding:.6rem 1rem;z-index:9}
.skip:focus{left:.5rem;top:.5rem}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem 1.2rem;padding:.7rem clamp(1rem,3vw,2rem);background:var(--surface);border-bottom:1px solid var(--line)}
.brand{font-weight:650;margin:0;min-width:0;overflow-wrap:anywhere}
.brand span{color:var(--muted);font-weight:400}
nav{display:flex;gap:.2rem}
nav a{padding:.35rem .8rem;border-radius:99px;color:var(--ink);text-decoration:none}
nav a:hover{background:var(--sunken)}
nav a[aria-current]{background:var(--in-soft);font-weight:600}
.look{display:flex;flex-wrap:wrap;gap:.4rem;margin-left:auto;align-items:center}
.look form{display:flex;gap:.4rem;align-items:center;margin:0}
.look select,.look button{min-height:2.2rem;padding:.2rem .5rem;font-size:.88rem;width:auto}
main{max-width:72rem;margin:0 auto;padding:clamp(1rem,2.5vw,2rem) clamp(.8rem,3vw,2rem) 4rem}
main.narrow{max-width:30rem}
.card{background:var(--surface);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shadow);padding:1.1rem clamp(.9rem,2.2vw,1.4rem);margin:0 0 1.1rem}
.soft{color:var(--muted);font-size:.88rem}
.lead{font-size:1.05rem;margin:0 0 1rem}
.note{border-radius:10px;padding:.7rem 1rem;margin:0 0 1.1rem;border:1px solid}
.note.good{background:var(--good-soft);border-color:var(--good);color:var(--good)}
.note.bad{background:var(--bad-soft);border-color:var(--bad);color:var(--bad)}
.note ul{margin:.2rem 0;padding-left:1.2rem}
.warn{background:var(--warn-soft);color:var(--warn);border-radius:10px;padding:.6rem .9rem}
input:not([type=checkbox]),select,textarea{width:100%;min-height:2.6rem;padding:.45rem .7rem;font:inherit;color:var(--ink);background:var(--ground);border:1px solid var(--line-strong);border-radius:8px}
textarea{font:.82rem/1.4 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;resize:vertical}
::placeholder{color:var(--muted);opacity:1}
input:disabled,select:disabled,textarea:disabled{background:var(--sunken);color:var(--muted);opacity:1}
input[type=checkbox]{width:1.1rem;height:1.1rem;vertical-align:-.2rem;accent-color:var(--accent)}
.tick{font-size:.88rem;font-weight:400;display:inline-flex;gap:.4rem;align-items:center;min-height:1.8rem}
button{font:inherit;font-weight:600;min-height:2.6rem;padding:.45rem 1.1rem;border:1px solid var(--accent);border-radius:8px;background:var(--accent);color:var(--on-accent);cursor:pointer}
button:hover{filter:brightness(1.07)}
button.quiet{background:transparent;color:var(--accent);font-weight:500}
button.quiet:hover{background:var(--in-soft);filter:none}
button.quiet.bad{color:var(--bad);border-color:transparent}
button.quiet.bad:hover{background:var(--bad-soft)}
button[disabled]{opacity:.6;cursor:progress}
.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));gap:1rem 1.4rem;margin:.6rem 0}
.field{min-width:0}
.field.wide{grid-column:1/-1}
.field.wide input,.field.wide textarea{max-width:44rem}
.field label:first-child{display:block;font-weight:600;font-size:.92rem;margin-bottom:.2rem}
.field .soft{margin-top:.25rem;max-width:44rem}
.field+p{margin-top:1rem}
.field code{color:var(--muted)}
.field.wrong input,.field.wrong select,.field.wrong textarea{border:2px solid var(--bad)}
.fault{color:var(--bad);font-weight:600;font-size:.9rem}
fieldset{border:1px solid var(--line);border-radius:10px;margin:.8rem 0;padding:.4rem 1rem 1rem;min-width:0}
legend{font-weight:650;padding:0 .4rem}
details{margin:.4rem 0}
summary{cursor:pointer;color:var(--accent);padding:.4rem 0;width:fit-content}
.test{margin:.5rem 0}
.steps{list-style:none;margin:.5rem 0 0;padding:0}
.steps li{padding:.15rem 0 .15rem 1.4rem;position:relative;max-width:70ch}
.steps li::before{content:"·";position:absolute;left:.4rem;color:var(--muted);font-weight:700}
.steps li.good{color:var(--good);font-weight:600}.steps li.good::before{content:"✓";color:inherit}
.steps li.bad{color:var(--bad);font-weight:600}.steps li.bad::before{content:"✕";color:inherit}
.bar{position:sticky;bottom:0;display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;justify-content:flex-end;padding:.8rem 1rem;margin:0;background:var(--surface);border:1px solid var(--line);border-radius:14px 14px 0 0;box-shadow:0 -4px 16px rgb(0 0 0/8%)}
.bar p{margin:0 auto 0 0}
/* status */
.sum{display:flex;gap:.8rem;align-items:flex-start;border-left:6px solid var(--good)}
.sum.ill{border-left-color:var(--bad)}
.sum h1{margin:0}
.sum ul{margin:.4rem 0 0;padding-left:1.1rem;overflow-wrap:anywhere}
.line{font-size:.85rem;color:var(--muted);margin-left:auto;white-space:nowrap}
.line::before{content:"";display:inline-block;width:.6rem;height:.6rem;border-radius:50%;background:var(--good);margin-right:.4rem}
.line.gone{color:var(--bad)}.line.gone::before{background:var(--bad)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1.1rem}
.grid{align-items:start;grid-auto-flow:dense}
.grid .card{margin:0;min-width:0}
@media (min-width:48rem){.grid .two{grid-column:span 2}}
.block{margin:0 0 1.1rem}
.block>h2{margin:.2rem 0 .6rem}
.top{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline;justify-content:space-between}
.top h3{overflow-wrap:anywhere;min-width:0}
.mark{font-size:.82rem;font-weight:600;padding:.1rem .6rem;border-radius:99px;background:var(--sunken);color:var(--muted);white-space:nowrap}
.mark.good{background:var(--good-soft);color:var(--good)}
.mark.bad{background:var(--bad-soft);color:var(--bad)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:.5rem 0 0;font-size:.92rem}
dt{color:var(--muted)}
dd{margin:0;text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;min-width:0}
.fault-line{color:var(--bad);font-size:.9rem;overflow-wrap:anywhere}
.watts{font-size:2.4rem;line-height:1.1;font-weight:650;font-variant-numeric:tabular-nums;color:var(--in)}
.watts.export{color:var(--out)}
.watts small{font-size:1rem;font-weight:500;color:var(--muted)}
svg.curve{display:block;width:100%;height:9rem;margin:.4rem 0}
svg.curve text{fill:var(--muted);font-size:11px}
svg.curve .axis{stroke:var(--grid)}
svg.curve .zero{stroke:var(--line-strong)}
svg.curve .run{fill:none;stroke:var(--in);stroke-width:2;stroke-linejoin:round}
svg.curve .area{fill:var(--in-soft);opacity:.7}
.phases{display:grid;grid-template-columns:auto 1fr auto auto;gap:.25rem .7rem;align-items:center;font-size:.92rem;font-variant-numeric:tabular-nums;margin:.4rem 0}
.gauge{height:.6rem;border-radius:99px;background:var(--sunken);overflow:hidden;min-width:2rem}
.gauge svg{display:block;width:100%;height:100%}
.right{text-align:right;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
td.right{font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
.room{height:.7rem;border-radius:99px;background:var(--sunken);overflow:hidden;margin:.5rem 0}
.room svg{display:block;width:100%;height:100%}
.room rect,.gauge rect{fill:var(--in)}
.gauge.l1 rect{fill:var(--l1)}.gauge.l2 rect{fill:var(--l2)}.gauge.l3 rect{fill:var(--l3)}
@media (max-width:36rem){.look{margin-left:0}.bar button{flex:1}.watts{font-size:2rem}header{gap:.3rem .8rem}}
@media (prefers-reduced-motion:no-preference){button,nav a{transition:background-color .15s,filter .15s}}
`;
