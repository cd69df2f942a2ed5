// The second chapter: what state each goroutine is in at each moment of an execution trace, and its way from queue to P.
"use strict";
const S = D.schedule, moments = [];
function prepare() {
  const ev = [];
  for (const [p, g, ts, d, end] of S.slices) ev.push([ts, 1, "run", g, p, p], [ts + d, 0, "stop", g, end, p]);
  for (const [p, kind, g, ts, by] of S.marks) ev.push([ts, 2, kind, g, by, p]);
  ev.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const state = {};
  for (const [ts, , kind, g, x, p] of ev) {
    if (!(g in S.names)) continue;
    if (kind === "run") state[g] = ["run", x];
    else if (kind === "stop") state[g] = x === "end" ? ["end"] : x === "yield" || x === "preempted" ? ["ready"] : ["wait", x];
    else if (kind !== "steal" && (!state[g] || state[g][0] === "wait")) state[g] = ["ready", x];
    moments.push([ts, kind, g, x, JSON.parse(JSON.stringify(state)), p]);
  }
}
const ids = () => Object.keys(S.names).map(Number).sort((a, b) => a - b);
const hue = g => `hsl(${ids().indexOf(+g) * 137.5 % 360} 55% 45%)`;
let at = 0, timer = null;

function says([, kind, g, x, , p]) {
  const t = T[lang], key = kind === "run" ? "e_run" : kind === "stop" ? (x === "end" ? "e_end" : x === "yield" || x === "preempted" ? "e_ready" : "e_wait") :
    kind === "go" ? (x ? "e_go" : "e_gosys") : kind === "steal" ? "e_steal" : x ? "e_unblock" : "e_sys";
  return t[key].replace("{g}", g).replace("{x}", x).replace("{p}", p);
}
const LANE = 58;
function moment(i) {
  at = Math.max(0, Math.min(moments.length - 1, i));
  if (!moments.length) return;
  const [ts, kind, g, x, state] = moments[at], rows = S.ps + 3, svg = $("play");
  if (!svg.dataset.made) {
    svg.setAttribute("viewBox", `0 0 1100 ${rows * LANE + 10}`);
    svg.innerHTML = Array.from({ length: rows }, (_, r) => `<rect class="box${r < S.ps ? " live" : ""}" x="120" y="${r * LANE + 6}" width="970" height="48" rx="10"/><text x="12" y="${r * LANE + 35}" data-row="${r}" class="h"></text>`).join("") +
      ids().map(k => `<g data-g="${k}" class="chip"><circle r="17" style="fill:${hue(k)}"/><text y="4" text-anchor="middle">g${k}</text><text class="note" x="22" y="4" style="fill:var(--dim);font-weight:400"></text></g>`).join("");
    svg.dataset.made = 1;
    schedTexts();
  }
  const fill = new Array(rows).fill(0);
  for (const k of ids()) {
    const el = svg.querySelector(`[data-g="${k}"]`), s = state[k];
    el.style.display = s ? "" : "none";
    if (!s) continue;
    const r = s[0] === "run" ? s[1] : S.ps + { ready: 0, wait: 1, end: 2 }[s[0]], wide = s[0] === "wait" || s[0] === "run";
    const cx = 146 + fill[r], cy = r * LANE + 30;
    fill[r] += wide ? 152 : 44;
    el.style.transform = `translate(${cx}px, ${cy}px)`;
    el.dataset.state = s[0];
    el.classList.toggle("new", k === +g);
    el.querySelector(".note").textContent = s[0] === "wait" ? clip(s[1], 15) : s[0] === "run" ? clip(S.names[k].split(" ")[0], 15) : "";
  }
  $("now").textContent = says(moments[at]);
  $("clock2").textContent = `${(ts - moments[0][0]).toFixed(1)} µs · ${at + 1} / ${moments.length}`;
  $("pos").value = at;
  const head = $("lanes").querySelector("#head2");
  if (head) head.setAttribute("transform", `translate(${laneX(ts)} 0)`);
  const link = $("lanes").querySelector("#wake");
  if (link) {
    // Who was woken: an arrow from there to where it runs next.
    const next = kind === "unblock" ? moments.slice(at + 1).find(m => m[1] === "run" && m[2] === g) : null;
    const p = moments[at][5];
    link.setAttribute("d", next ? `M${laneX(ts)} ${p * 34 + 23}L${laneX(next[0])} ${next[3] * 34 + 23}` : "");
  }
}
let laneX = () => 0;
function lanes() {
  if (!moments.length) return;
  const t0 = moments[0][0], t1 = moments[moments.length - 1][0], w = 1100, h = S.ps * 34 + 14;
  laneX = ts => 40 + (ts - t0) / (t1 - t0 || 1) * (w - 50);
  const unit = 10 ** Math.floor(Math.log10((t1 - t0) / 3 || 1)), ticks = [];
  for (let u = 0; u <= t1 - t0; u += unit) ticks.push(`<path class="d" d="M${laneX(t0 + u)} 6V${h}"/><text class="sm k" x="${laneX(t0 + u)}" y="${h + 12}" text-anchor="middle">${u >= 1000 ? u / 1000 + " ms" : u + " µs"}</text>`);
  $("lanes").setAttribute("viewBox", `0 0 ${w} ${h + 18}`);
  $("lanes").innerHTML = ticks.join("") + Array.from({ length: S.ps }, (_, p) => `<text x="8" y="${p * 34 + 28}" class="h">P${p}</text>`).join("") +
    S.slices.map(([p, g, ts, d, end]) => `<rect x="${laneX(ts)}" y="${p * 34 + 10}" width="${Math.max(.6, laneX(ts + d) - laneX(ts))}" height="26" style="fill:${hue(g)}"><title>g${g} ${esc(S.names[g])}: ${d.toFixed(1)} µs, ${esc(end)}</title></rect>`).join("") +
    `<path id="wake" class="arrow new"/><path id="head2" d="M0 2V${h}" stroke="var(--new)" stroke-width="2"/>`;
}
function schedTexts() {
  const t = T[lang];
  $("play").querySelectorAll("[data-row]").forEach(e => { const r = +e.dataset.row; e.textContent = r < S.ps ? `P${r}` : [t.runnable, t.waiting, t.ended][r - S.ps] });
  $("legend").innerHTML = ids().map(k => `<span><i style="background:${hue(k)}"></i>g${k} ${esc(S.names[k])}</span>`).join("");
}
function play() {
  if (timer) { clearInterval(timer); timer = null; return }
  if (at >= moments.length - 1) moment(0);
  timer = setInterval(() => at >= moments.length - 1 ? play() : moment(at + 1), +$("speed").value);
}
