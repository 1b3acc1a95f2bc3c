// The path of a robot's hand: x and y seen from above, z as a gauge at the side, and the numbers below.
const ROOM = { left: 32, right: 52, top: 16, bottom: 58, gauge: 24 };
const NARROW = 260;

// `hand` comes from `hand_path` in hand.py.
function drawHand(svg, hand, frame) {
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  svg.replaceChildren();
  if (!width) return;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const span = hand.low.map((low, axis) => Math.max(hand.high[axis] - low, 1e-9));
  const [roomX, roomY] = [width - ROOM.left - ROOM.right, height - ROOM.top - ROOM.bottom];
  const scale = Math.min(roomX / span[0], roomY / span[1]);
  const [wide, deep] = [span[0] * scale, span[1] * scale];
  const [left, top] = [ROOM.left + (roomX - wide) / 2, ROOM.top + (roomY - deep) / 2];
  const at = ([x, y]) => [left + (x - hand.low[0]) * scale, top + deep - (y - hand.low[1]) * scale];
  draw(svg, 'rect', { class: 'table', x: left - 8, y: top - 8, width: wide + 16, height: deep + 16, rx: 6 });
  draw(svg, 'text', { x: left + wide / 2, y: top + deep + 22, 'text-anchor': 'middle' }, 'x');
  draw(svg, 'text', { x: left - 14, y: top + deep / 2 + 4, 'text-anchor': 'end' }, 'y');
  const line = (places) => places.map((place) => at(place).map((value) => value.toFixed(1)).join(',')).join(' ');
  draw(svg, 'polyline', { class: 'ahead', points: line(hand.places.slice(frame)) });
  draw(svg, 'polyline', { class: 'line', points: line(hand.places.slice(0, frame + 1)) });
  for (const place of hand.places.slice(0, frame + 1)) {
    const [x, y] = at(place);
    draw(svg, 'circle', { class: 'stop', cx: x, cy: y, r: 2.5 });
  }
  const [x, y] = at(hand.places[frame]);
  draw(svg, 'circle', { class: 'dot', cx: x, cy: y, r: 6 });
  const gauge = width - ROOM.gauge;
  const height3 = top + deep - ((hand.places[frame][2] - hand.low[2]) / span[2]) * deep;
  draw(svg, 'rect', { class: 'table', x: gauge - 4, y: top - 8, width: 8, height: deep + 16, rx: 4 });
  draw(svg, 'line', { class: 'level', x1: gauge, x2: gauge, y1: height3, y2: top + deep + 4 });
  draw(svg, 'circle', { class: 'dot', cx: gauge, cy: height3, r: 6 });
  draw(svg, 'text', { x: gauge, y: top + deep + 22, 'text-anchor': 'middle' }, 'z');
  const lines = width < NARROW ? hand.words[frame] : [hand.words[frame].join(', ')];
  lines.forEach((words, index) => {
    const up = 8 + 15 * (lines.length - 1 - index);
    draw(svg, 'text', { class: 'words', x: width / 2, y: height - up, 'text-anchor': 'middle' }, words);
  });
  svg.setAttribute('aria-label', `${hand.title}: ${hand.words[frame].join(', ')}`);
}
