// The player: live frames while a run goes on, then three tracks in step with a scrubber and a PSNR curve.
// `element`, `props` and `watch` come from gr.HTML; the shape of `props.value` is `PlayerView` in player.py.
const find = (selector) => element.querySelector(selector);
const player = find('.player');
const scrubber = find('.scrubber');
const playButton = find('.play');
const curve = find('.curve');
const svg = find('.curve svg');
const tab = element.closest('.workbench');
const PLOT = { left: 46, right: 18, top: 12, bottom: 34, height: 190 };
const ICONS = { play: 'M7 4v16l13-8z', pause: 'M6 4h4v16H6zM14 4h4v16h-4z' };

let view = null;      // the latest value
let frame = 0;        // the frame on the stage; 0 is the first given one
let timer = null;     // of playing
let sheets = {};      // track -> loaded <img> elements
let plot = null;      // scales of the drawn curve
let waiting = false;  // for a run's first word
let patience = null;  // a timer: a step is answered at once, or it has to wait
let unloaded = null;  // the sheets that could not be fetched

const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const addresses = (value) => (value && value.sheets ? Object.values(value.sheets).flat().map((file) => file.url).join() : '');
const finished = () => Boolean(view && view.sheets && addresses(view) !== unloaded);
const last = () => view.given + view.total - 1;

function show(value) {
  const before = view;
  stopWaiting();
  view = value || { phase: 'idle', status: '', notes: [] };
  if (view.keeps) view = { ...before, phase: view.phase, status: view.status };
  player.dataset.phase = view.phase;
  find('.status').textContent = view.status;
  if (view.sheets && addresses(view) === unloaded) sayUnloaded();
  find('.notes').replaceChildren(...view.notes.map((note) => {
    const item = document.createElement('li');
    item.textContent = note;
    return item;
  }));
  player.toggleAttribute('data-shown', Boolean(view.run));
  if (!view.run) return stop();
  if (!before || before.run !== view.run) reset();
  scrubber.max = last();
  scrubber.disabled = playButton.disabled = !finished();
  if (view.live) showLive(view.live);
  drawCurve();
  if (finished() && addresses(before) !== addresses(view)) load();
}

function reset() {
  stop();
  sheets = {};
  frame = 0;
  for (const figure of element.querySelectorAll('.stage figure')) {
    figure.hidden = !view.tracks.includes(figure.dataset.track);
    figure.style.setProperty('--ratio', view.height / view.width);
    const canvas = figure.querySelector('canvas');
    if (!canvas || (canvas.width === view.width && canvas.height === view.height)) continue;  // it would be cleared
    canvas.width = view.width;
    canvas.height = view.height;
  }
  if (view.hand) find('[data-track=hand] figcaption').textContent = view.hand.title;
  bringIntoView();
}

// While somebody steers, the buttons stay where they are as long as anything of the pictures can be seen.
function bringIntoView() {
  const [{ top }, { bottom }] = [player.getBoundingClientRect(), find('.stage').getBoundingClientRect()];
  const away = view.at === null ? top < 0 : bottom < 80;
  if (away || top > innerHeight / 2) player.scrollIntoView({ behavior: calm() ? 'auto' : 'smooth' });
}

const canvasOf = (track) => find(`[data-track=${track}] canvas`).getContext('2d');

function showLive(live) {
  const run = view.run;
  frame = live.frame;
  for (const [track, url] of Object.entries(live.pictures)) {
    const picture = new Image();
    picture.onload = () => {
      if (view.run === run && !sheets[track]) canvasOf(track).drawImage(picture, 0, 0);
    };
    picture.src = url;
  }
  caption();
}

async function load() {
  const wanted = addresses(view);
  const loaded = {};
  const decoded = Object.entries(view.sheets).flatMap(([track, files]) => {
    loaded[track] = files.map((file) => Object.assign(new Image(), { src: file.url }));
    return loaded[track].map((picture) => picture.decode());
  });
  const failed = await Promise.all(decoded).then(() => false, () => true);
  if (addresses(view) !== wanted) return;
  if (failed) {
    unloaded = wanted;
    sayUnloaded();
    return;
  }
  sheets = loaded;
  stop();
  seek(view.at ?? 0);
  if (view.at === null && !calm()) play();
}

function sayUnloaded() {
  sayError('The frames could not be fetched from the server; the downloads below hold the video.');
  scrubber.disabled = playButton.disabled = true;
}

function sayError(sentence) {
  player.dataset.phase = 'error';
  find('.status').textContent = sentence;
}

function seek(to) {
  if (!finished()) return;
  frame = Math.max(0, Math.min(last(), to));
  const { width, height, columns, per_sheet: perSheet } = view;
  const cell = frame % perSheet;
  const [x, y] = [(cell % columns) * width, Math.floor(cell / columns) * height];
  for (const [track, pictures] of Object.entries(sheets)) {
    canvasOf(track).drawImage(pictures[Math.floor(frame / perSheet)], x, y, width, height, 0, 0, width, height);
  }
  caption();
}

function caption() {
  frame = Math.min(frame, last());
  scrubber.value = frame;
  find('.count').textContent = `${frame} / ${last()}`;
  const psnr = view.psnr[frame - view.given];
  find('.reading').textContent = psnr === undefined ? nameOfFrame() : `Frame ${frame}: ${psnr.toFixed(2)} dB`;
  scrubber.setAttribute('aria-valuetext', find('.reading').textContent);
  moveMarker();
  if (view.hand) drawHand(find('.hand'), view.hand, frame);
}

function nameOfFrame() {
  if (frame >= view.given) return `Frame ${frame}`;
  return view.given === 1 ? 'Frame 0: the given first frame' : `Frame ${frame}: given`;
}

function play() {
  if (!finished() || timer) return;
  if (frame >= last()) seek(0);
  timer = setInterval(() => seek(frame >= last() ? 0 : frame + 1), 1000 / view.fps);
  playIcon();
}

function stop() {
  clearInterval(timer);
  timer = null;
  playIcon();
}

function playIcon() {
  playButton.setAttribute('aria-label', timer ? 'Pause' : 'Play');
  playButton.querySelector('path').setAttribute('d', timer ? ICONS.pause : ICONS.play);
}

// The curve -----------------------------------------------------------------------------------------------

// A step of 1, 2 or 5 times a power of ten that cuts `span` into at most `most` parts.
function niceStep(span, most) {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= most);
}

function drawCurve() {
  curve.hidden = !view.tracks.includes('truth');
  svg.replaceChildren();
  plot = null;
  find('.mean').textContent = view.mean === null ? '' : `mean PSNR ${view.mean.toFixed(2)} dB`;
  const width = svg.clientWidth;
  if (curve.hidden || !view.psnr.length || !width) return;
  const step = niceStep(Math.max(2, Math.max(...view.psnr) - Math.min(...view.psnr)), 4);
  const low = Math.floor(Math.min(...view.psnr) / step) * step;
  const high = Math.max(Math.ceil(Math.max(...view.psnr) / step) * step, low + step);
  const right = width - PLOT.right;
  const base = PLOT.height - PLOT.bottom;
  const x = (index) => PLOT.left + (index / last()) * (right - PLOT.left);
  const y = (value) => base - ((value - low) / (high - low)) * (base - PLOT.top);
  svg.setAttribute('viewBox', `0 0 ${width} ${PLOT.height}`);
  for (let value = low; value <= high + step / 2; value += step) {
    draw(svg, 'line', { class: 'grid', x1: PLOT.left, x2: right, y1: y(value), y2: y(value) });
    draw(svg, 'text', { x: PLOT.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, Number(value.toFixed(6)));
  }
  const frames = Math.max(1, niceStep(last(), Math.max(2, Math.floor(width / 90))));
  for (let index = 0; index <= last(); index += frames) {
    draw(svg, 'text', { x: x(index), y: base + 16, 'text-anchor': 'middle' }, index);
  }
  draw(svg, 'text', { x: (PLOT.left + right) / 2, y: PLOT.height - 4, 'text-anchor': 'middle' }, 'frame');
  draw(svg, 'text', { x: 12, y: (base + PLOT.top) / 2, 'text-anchor': 'middle',
    transform: `rotate(-90 12 ${(base + PLOT.top) / 2})` }, 'PSNR (dB)');
  if (view.mean !== null) {
    draw(svg, 'line', { class: 'mean-line', x1: PLOT.left, x2: right, y1: y(view.mean), y2: y(view.mean) });
  }
  const points = view.psnr.map((value, index) => `${x(index + view.given).toFixed(1)},${y(value).toFixed(1)}`);
  draw(svg, 'polyline', { class: 'line', points: points.join(' ') });
  const marker = draw(svg, 'line', { class: 'marker', y1: PLOT.top, y2: base });
  plot = { x, y, marker, dot: draw(svg, 'circle', { class: 'dot', r: 4 }), right };
  svg.setAttribute('aria-label', `PSNR of every frame, from ${Math.min(...view.psnr).toFixed(1)} to `
    + `${Math.max(...view.psnr).toFixed(1)} dB` + (view.mean === null ? '' : `, mean ${view.mean.toFixed(2)} dB`));
  moveMarker();
}

function moveMarker() {
  if (!plot) return;
  plot.marker.setAttribute('x1', plot.x(frame));
  plot.marker.setAttribute('x2', plot.x(frame));
  const psnr = view.psnr[frame - view.given];
  plot.dot.style.display = psnr === undefined ? 'none' : '';
  if (psnr !== undefined) {
    plot.dot.setAttribute('cx', plot.x(frame));
    plot.dot.setAttribute('cy', plot.y(psnr));
  }
}

function seekToPointer(event) {
  if (!plot || !finished()) return;
  stop();
  const at = event.clientX - svg.getBoundingClientRect().left;
  seek(Math.round(((at - PLOT.left) / (plot.right - PLOT.left)) * last()));
}

// Events --------------------------------------------------------------------------------------------------

playButton.addEventListener('click', () => (timer ? stop() : play()));
scrubber.addEventListener('input', () => { stop(); seek(Number(scrubber.value)); });
svg.addEventListener('pointerdown', (event) => { svg.setPointerCapture(event.pointerId); seekToPointer(event); });
svg.addEventListener('pointermove', (event) => { if (event.buttons) seekToPointer(event); });
document.addEventListener('keydown', (event) => {
  const ours = event.target === document.body || player.contains(event.target);
  if (!ours || !finished() || !player.checkVisibility() || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) { stop(); seek(frame + step); }
  else if (event.key === ' ') { timer ? stop() : play(); }
  else return;
  event.preventDefault();
});
// Until the server answers: the model may be busy with another user's run.
tab.addEventListener('click', (event) => {
  if (view.phase === 'running' || !event.target.closest('.begins:enabled, .example')) return;
  waiting = true;
  clearTimeout(patience);
  if (event.target.closest('.steers')) patience = setTimeout(sayWaiting, 700);
  else sayWaiting();
});

function sayWaiting() {
  player.dataset.phase = 'running';
  find('.status').textContent = 'Waiting for the model …';
}

function stopWaiting() {
  waiting = false;
  clearTimeout(patience);
}

document.addEventListener('run-failed', (event) => {
  if (!waiting || !element.closest(`#${event.detail}`)) return;  // the run has told why, or it was another player's
  stopWaiting();
  sayError('The run did not begin: too many people are waiting, or the server cannot be reached. Try again soon.');
});
new ResizeObserver(() => {
  if (!view || !view.run) return;
  drawCurve();
  caption();
}).observe(find('.show'));
watch('value', () => show(props.value));
show(props.value);
