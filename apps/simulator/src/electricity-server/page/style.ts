/** The page's look: light and dark by the system's choice, from a phone's width on. The case and its display stay themselves. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#eef1f4;--card:#fff;--ink:#17202a;--soft:#566373;--line:#d5dce3;--accent:#0b6bcb;--bar:#3b8ede;
--case:#dfe3e6;--case2:#c7cdd2;--case-ink:#22303c;--lcd:#b9c6ac;--seg:#1c2a1c;--ghost:rgba(28,42,28,.07);--bad:#a3211b}
@media(prefers-color-scheme:dark){:root{--ground:#10151a;--card:#192129;--ink:#e6ebf0;--soft:#9fb0c0;--line:#2d3944;--accent:#6db3f8;--bar:#4c9be8;
--case:#39434c;--case2:#2b343c;--case-ink:#e8edf2;--lcd:#a3b197;--seg:#142014;--ghost:rgba(20,32,20,.08);--bad:#ff8f87}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
padding:max(16px,env(safe-area-inset-top)) 16px 32px}
main{max-width:1180px;margin:0 auto;display:grid;gap:16px;grid-template-columns:minmax(0,1fr)}
@media(min-width:900px){main{grid-template-columns:minmax(360px,430px) minmax(0,1fr);align-items:start}}
.column{display:grid;gap:16px;min-width:0}
h1,h2{margin:0;font-weight:600}
h2{font-size:15px;margin-bottom:10px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:16px;min-width:0}
.meter{background:linear-gradient(160deg,var(--case),var(--case2));color:var(--case-ink);border:1px solid var(--line);border-radius:26px;
padding:20px 18px 22px;box-shadow:0 1px 0 rgba(255,255,255,.35) inset,0 14px 30px -18px rgba(0,0,0,.55)}
.plate{display:flex;justify-content:space-between;align-items:baseline;gap:12px;flex-wrap:wrap;margin-bottom:14px}
.plate h1{font-size:17px;letter-spacing:.01em}
.plate p{margin:0;font-size:13px;font-variant-numeric:tabular-nums}
.lcd{background:linear-gradient(180deg,rgba(255,255,255,.16),rgba(0,0,0,.05)),var(--lcd);border-radius:8px;padding:12px 12px 10px;color:var(--seg);
box-shadow:inset 0 2px 7px rgba(0,0,0,.38),0 1px 0 rgba(255,255,255,.3);border:1px solid rgba(0,0,0,.4)}
.lcd.dark svg .on{fill:var(--ghost)}
.lcd .top,.lcd .bottom{display:flex;justify-content:space-between;align-items:flex-end;font-size:12.5px;font-weight:650;min-height:20px;font-variant-numeric:tabular-nums}
.lcd svg{display:block;width:100%;height:auto}
.lcd .code svg{width:auto;height:20px}
.lcd #digits{margin:7px 0 8px}
.seg{fill:var(--ghost)}.seg.on{fill:var(--seg)}
.unit{font-size:15px;font-weight:700;letter-spacing:.02em}
.mark{opacity:.12}.mark.on{opacity:1}.marks{letter-spacing:.04em;white-space:nowrap}
.buttons{display:flex;flex-wrap:wrap;gap:8px;margin-top:10px}
button{font:inherit;font-size:14px;font-weight:550;color:inherit;background:transparent;border:1.5px solid currentColor;border-radius:9px;min-height:44px;padding:6px 14px;cursor:pointer}
button:hover{background:color-mix(in srgb,currentColor 10%,transparent)}
button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button[aria-pressed=true]{background:var(--ink);color:var(--card);border-color:var(--ink)}
.lights{list-style:none;margin:16px 0 0;padding:0;display:grid;gap:8px 14px;grid-template-columns:repeat(auto-fill,minmax(165px,1fr))}
.lights li{display:grid;grid-template-columns:18px 1fr;gap:0 9px;align-items:start;align-content:start;font-size:13px;line-height:1.3}
.lights b{font-weight:650}
.lights span.say{grid-column:2;font-size:12px}
.lamp{width:16px;height:16px;border-radius:50%;margin-top:1px;border:1px solid rgba(0,0,0,.55);background:#4d5257;box-shadow:inset 0 2px 3px rgba(0,0,0,.45)}
.lamp.red.lit{background:#ff4437;box-shadow:0 0 9px 2px #ff5a4e,inset 0 1px 2px #ffc4bf}
.lamp.yellow.lit{background:#ffc91f;box-shadow:0 0 9px 2px #ffce3c,inset 0 1px 2px #fff0bd}
.lamp.green.lit{background:#2fd04f;box-shadow:0 0 9px 2px #45dd63,inset 0 1px 2px #c4ffd0}
.switch{margin-top:16px;padding-top:14px;border-top:1px solid rgba(0,0,0,.22);display:flex;justify-content:space-between;align-items:center;gap:10px;flex-wrap:wrap}
.switch h2{margin:0 0 2px}.switch p{margin:0;font-size:13px}
.say{margin:0}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{font-size:12.5px;font-weight:600;color:var(--soft);text-align:left;padding:2px 8px 5px 0}
td{font-size:14px;padding:5px 8px 5px 0;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
.right{text-align:right;padding-right:0}
td:first-child{white-space:nowrap;padding-right:12px}
td.value{font-weight:600;white-space:nowrap}
.now{color:var(--accent);font-weight:650}
.figure{font-size:30px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums;line-height:1.15}
.figure small{font-size:15px;font-weight:500;color:var(--soft)}
.soft{color:var(--soft);font-size:13px;margin:2px 0 0}
.buttons+.soft{margin-top:10px}
.chart{display:block;width:100%;height:150px;margin-top:10px;overflow:visible}
.chart rect{fill:var(--bar)}.chart line{stroke:var(--line)}.chart text{fill:var(--soft);font-size:11px}
.scroll{max-height:300px;overflow:auto}
.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.pair{display:grid;gap:16px}
@media(min-width:640px){.pair{grid-template-columns:1fr 1fr}}
.pair>*{min-width:0}
.bad{color:var(--bad);font-weight:600}
.gone{position:fixed;left:0;right:0;bottom:0;margin:0;padding:12px 16px;background:var(--bad);color:var(--card);text-align:center;font-weight:600}
[hidden]{display:none!important}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;
