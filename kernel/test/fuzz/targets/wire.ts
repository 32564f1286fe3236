// Values on the wire: any data comes back as it was sent, whatever its fields are called.
import assert from 'node:assert/strict';
import { fromWire, toPlainJson, toWire } from '../../../protocol/values.ts';
import { planted, type Plant, type Target } from '../target.ts';

export function wireTarget(plant?: Plant): Target {
  const seeds = [
    '{"a":1,"b":[true,null,"x"],"c":{"d":-1.5}}',
    '[{"$date":0},{"$bigint":"12"},{"$bytes":"AQI="}]',
    '{"$object":{"$date":1},"$map":[[1,2]],"$set":[1]}',
    '{"__proto__":{"a":1},"constructor":1,"toString":null}',
  ];
  return {
    seeds: seeds.map((text) => Buffer.from(text)),
    words: [
      ...['"$date":', '"$bigint":', '"$bytes":', '"$object":', '"$map":', '"$number":', '"$undefined":true'],
      ',{',
      '}',
    ],
    attempt(input) {
      planted(plant, input);
      let value: unknown;
      try {
        value = JSON.parse(Buffer.from(input).toString());
      } catch {
        return 'rejected';
      }
      // Deeper data is cut before it is sent.
      if (depthOf(value) > 200) return 'rejected';
      const wire = JSON.parse(JSON.stringify(toWire(value))) as unknown;
      const back = plant === 'forgets' && Array.isArray(value) ? [] : fromWire(wire);
      assert.deepEqual(back, value, 'A value does not come back as it was sent.');
      JSON.stringify(toPlainJson(value));
      return 'accepted';
    },
  };
}

function depthOf(value: unknown): number {
  let depth = 0;
  let level: readonly unknown[] = [value];
  for (; level.length > 0; depth++)
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []));
  return depth;
}
