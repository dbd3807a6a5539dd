/**
 * What the page does in the browser, as text: it asks twice a second, draws what it is told, and blinks lights by their
 * patterns and the meter's time. Nothing of it is executed here.
 *
 * Decides: the display rotates every 4 s and can be stopped; who wishes less motion gets lamps that stay lit at half, beside
 * the words that say how they flash.
 */
export const SCRIPT = `
'use strict';
const T = JSON.parse(document.getElementById('texts').textContent);
const $ = (id) => document.getElementById(id);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
let state, offset = 0, picture = 0, rotating = !calm.matches, failures = 0;

// ---- seven segments: a top, b and c right, d bottom, e and f left, g middle
const SEGMENTS = {0:'abcdef',1:'bc',2:'abged',3:'abgcd',4:'fgbc',5:'afgcd',6:'afgedc',7:'abc',8:'abcdefg',9:'abcdfg','-':'g',C:'adef',F:'aefg',E:'adefg',' ':''};
const SHAPES = {a:'3,1 17,1 14,4 6,4',b:'18,2 18,17 15,14 15,5',c:'18,19 18,34 15,31 15,22',d:'6,32 14,32 17,35 3,35',e:'2,19 5,22 5,31 2,34',f:'2,2 5,5 5,14 2,17',g:'5,16.5 15,16.5 17,18 15,19.5 5,19.5 3,18'};
const NS = 'http://www.w3.org/2000/svg';
const svg = (name, attributes) => { const node = document.createElementNS(NS, name); for (const k in attributes) node.setAttribute(k, attributes[k]); return node; };
function segments(host, text, cells, left) {
  const characters = [];
  for (const c of text) if ((c === '.' || c === ':') && characters.length) characters[characters.length - 1].mark = c; else characters.push({ c, mark: '' });
  while (characters.length < cells) characters[left ? 'push' : 'unshift']({ c: ' ', mark: '' });
  const root = svg('svg', { viewBox: '0 0 ' + characters.length * 26 + ' 36', 'aria-hidden': 'true', focusable: 'false' });
  characters.forEach(({ c, mark }, i) => {
    const g = svg('g', { transform: 'translate(' + i * 26 + ' 0) skewX(-4)' });
    for (const s in SHAPES) g.append(svg('polygon', { points: SHAPES[s], class: (SEGMENTS[c] || '').includes(s) ? 'seg on' : 'seg' }));
    g.append(svg('circle', { cx: 23, cy: 33, r: 2, class: mark === '.' ? 'seg on' : 'seg' }));
    if (mark === ':') for (const cy of [12, 24]) g.append(svg('circle', { cx: 23, cy, r: 2, class: 'seg on' }));
    root.append(g);
  });
  host.replaceChildren(root);
}
function say(node, text) { if (node.textContent !== text) node.textContent = text; }
function show() {
  if (!state) return;
  const lines = state.display;
  const line = state.powered ? lines[picture % lines.length] : { code: '', value: '', unit: '' };
  segments($('digits'), line.value.replace(/^0+(?=\\d)/, (z) => state.powered ? z : ''), 9);
  segments($('code'), line.code, 6, true);
  say($('unit'), line.unit);
  say($('rate'), state.powered ? 'T' + state.rate : '');
  state.phases.forEach((on, i) => $('mark' + i).classList.toggle('on', state.powered && on));
  for (let i = state.phases.length; i < 3; i++) $('mark' + i).hidden = true;
  say($('shown'), state.powered ? line.code + ' ' + line.value + ' ' + line.unit : T.noMains);
}
// ---- lights
function lit(p, at) {
  if (p.kind === 'on') return true;
  if (p.kind === 'off') return false;
  if (p.kind === 'until') return at < p.end;
  const cycle = p.on + p.off;
  return ((at % cycle) + cycle) % cycle < p.on;
}
function blink() {
  if (state) {
    const at = state.now + (performance.now() - offset);
    document.querySelectorAll('.lamp').forEach((lamp, i) => {
      const light = state.lights[i];
      if (!light) return;
      const on = calm.matches && light.pattern.kind === 'flashing' ? true : lit(light.pattern, at);
      lamp.classList.toggle('lit', on);
      lamp.style.opacity = calm.matches && light.pattern.kind === 'flashing' ? '.6' : '1';
    });
  }
  requestAnimationFrame(blink);
}
function lights() {
  const list = $('lights');
  if (list.children.length !== state.lights.length)
    list.replaceChildren(...state.lights.map(() => {
      const li = document.createElement('li');
      li.innerHTML = '<span class="lamp" aria-hidden="true"></span><b></b><span class="say"></span>';
      return li;
    }));
  state.lights.forEach((light, i) => {
    const li = list.children[i];
    li.firstChild.className = 'lamp ' + light.colour + (li.firstChild.classList.contains('lit') ? ' lit' : '');
    say(li.children[1], light.name);
    say(li.children[2], light.text + ': ' + light.meaning);
  });
}
// ---- tables
function rows(body, list, cells) {
  const key = JSON.stringify(list);
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  body.replaceChildren(...list.map((item) => {
    const tr = document.createElement('tr');
    cells(item).forEach((cell, i) => {
      const td = document.createElement('td');
      td.textContent = cell.text === undefined ? cell : cell.text;
      if (cell.kind) td.className = cell.kind;
      tr.append(td);
    });
    return tr;
  }));
}
const watts = (w) => Math.abs(w) >= 10000 ? (w / 1000).toFixed(1) + ' kW' : Math.round(w) + ' W';
function chart() {
  const { curve } = state, host = $('chart');
  $('norows').hidden = curve.length > 0;
  host.toggleAttribute('hidden', curve.length === 0);
  const key = JSON.stringify(curve) + host.clientWidth;
  if (!curve.length || host.dataset.key === key) return;
  host.dataset.key = key;
  const width = host.clientWidth || 600, height = 150, left = 44, bottom = 18;
  const top = Math.max(1000, ...curve.map((c) => c.watts));
  const step = [1000, 2000, 5000, 10000, 20000, 50000].find((s) => top / s <= 3) || 100000;
  const ceiling = Math.ceil(top / step) * step;
  const y = (w) => (height - bottom) * (1 - w / ceiling);
  const parts = [];
  for (let w = 0; w <= ceiling; w += step) {
    parts.push(svg('line', { x1: left, x2: width, y1: y(w) + .5, y2: y(w) + .5 }));
    const label = svg('text', { x: left - 8, y: y(w) + 4, 'text-anchor': 'end' });
    label.textContent = w / 1000 + ' kW';
    parts.push(label);
  }
  const each = (width - left) / curve.length;
  const every = Math.ceil(54 / each);
  curve.forEach((c, i) => {
    const bar = svg('rect', { x: left + i * each + each * .12, width: Math.max(1, each * .76), y: y(c.watts), height: Math.max(0, y(0) - y(c.watts)), rx: Math.min(3, each / 4) });
    const title = svg('title', {});
    title.textContent = c.label + ' ' + watts(c.watts);
    bar.append(title);
    parts.push(bar);
    if (i % every === 0 && left + i * each < width - 30) { const label = svg('text', { x: left + i * each, y: height - 3 }); label.textContent = c.label; parts.push(label); }
  });
  host.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  host.setAttribute('aria-label', T.powerOf + ': ' + curve.map((c) => c.label + ' ' + watts(c.watts)).join(', '));
  host.replaceChildren(...parts);
}
function draw() {
  say($('serial'), state.serial);
  say($('kind'), T.module + ' ' + state.module);
  say($('clock'), state.clock + (state.synchronised ? '' : ' (' + T.notSynchronised + ')'));
  lights();
  const d = state.disconnecter;
  say($('relay'), !d.fitted ? T.notFitted : (d.connected ? T.connected : d.localConnectionEnabled ? T.ready : T.disconnected) + ', ' + (d.mode === 'local' ? T.localMode : T.remoteMode));
  $('press').hidden = !d.fitted;
  document.querySelectorAll('[data-phase]').forEach((button) => {
    const i = Number(button.dataset.phase);
    button.hidden = i >= state.phases.length;
    if (button.hidden) return;
    button.setAttribute('aria-pressed', String(state.phases[i]));
    say(button, 'L' + (i + 1) + ' ' + (state.phases[i] ? T.phaseOn : T.phaseOff));
  });
  say($('all'), state.phases.some(Boolean) ? T.allOff : T.allOn);
  $('alert').hidden = state.alertInput === undefined;
  $('rateinput').hidden = state.rateInput === undefined;
  $('inputs').hidden = $('alert').hidden && $('rateinput').hidden;
  $('alert').setAttribute('aria-pressed', String(!!state.alertInput));
  $('rateinput').setAttribute('aria-pressed', String(!!state.rateInput));
  say($('watts'), state.powered ? watts(state.power) : '–');
  say($('volts'), state.powered ? state.voltages.map((v, i) => 'L' + (i + 1) + ' ' + v.toFixed(1) + ' V').join('  ') : T.noMains);
  say($('failures'), T.failures + ': ' + state.failures.join(' / '));
  rows($('registers'), state.registers, (r) => [{ text: r.code }, { text: r.name, kind: r.rate === state.rate ? 'now' : '' }, { text: r.value + ' kWh', kind: 'right value' }]);
  rows($('events'), state.events, (e) => [e.time, { text: e.text }]);
  rows($('switching'), state.switching, (e) => [e.time, { text: e.text }]);
  rows($('slaves'), state.slaves, (s) => [s.medium, s.code, { text: s.value, kind: 'right value' }]);
  $('noevents').hidden = state.events.length > 0;
  $('noswitching').hidden = state.switching.length > 0;
  $('noslaves').hidden = state.slaves.length > 0;
  $('slavetable').hidden = state.slaves.length === 0;
  $('messagecard').hidden = !state.message;
  say($('message'), state.message);
  chart();
  show();
}
async function ask() {
  try {
    const response = await fetch('state', { cache: 'no-store' });
    if (!response.ok) throw new Error(String(response.status));
    const next = await response.json();
    state = next;
    offset = performance.now();
    failures = 0;
    draw();
    document.body.dataset.ready = 'yes';
  } catch { failures++; }
  $('gone').hidden = failures < 3;
  setTimeout(ask, failures ? 1500 : 500);
}
async function act(action, more) {
  try {
    const response = await fetch('act', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ action, ...more }) });
    const { text } = await response.json();
    say($('told'), text || '');
    state = await (await fetch('state', { cache: 'no-store' })).json();
    offset = performance.now();
    draw();
  } catch { failures++; }
}
$('press').onclick = () => act('press');
$('next').onclick = () => { picture++; show(); };
$('rotate').onclick = () => { rotating = !rotating; turn(); };
function turn() { say($('rotate'), rotating ? T.pause : T.rotate); }
document.querySelectorAll('[data-phase]').forEach((b) => { b.onclick = () => act('phase', { phase: Number(b.dataset.phase), on: b.getAttribute('aria-pressed') !== 'true' }); });
$('all').onclick = () => act('mains', { on: !state.phases.some(Boolean) });
$('alert').onclick = () => act('alert', { on: $('alert').getAttribute('aria-pressed') !== 'true' });
$('rateinput').onclick = () => act('rate', { on: $('rateinput').getAttribute('aria-pressed') !== 'true' });
setInterval(() => { if (rotating) { picture++; show(); } }, 4000);
addEventListener('resize', () => state && chart());
turn(); ask(); requestAnimationFrame(blink);
`;
