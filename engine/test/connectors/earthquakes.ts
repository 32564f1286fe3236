// Makes the data of the first sample from vega-datasets: one week of earthquakes from the USGS.
// They are in the order of their last update, as a consumer would have received them. Run this file
// to write the data again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Feature {
  readonly properties: {
    readonly time: number;
    readonly updated: number;
    readonly mag: number;
    readonly place: string;
  };
  readonly geometry: { readonly coordinates: readonly [longitude: number, latitude: number, depthKm: number] };
}

export const earthquakesFile: string = join(import.meta.dirname, '../../../samples/data/earthquakes.jsonl');

export function earthquakeLines(): string {
  const source = join(import.meta.dirname, '../../../node_modules/vega-datasets/data/earthquakes.json');
  const { features } = JSON.parse(readFileSync(source, 'utf8')) as { readonly features: readonly Feature[] };
  const iso = (millis: number): string => new Date(millis).toISOString();
  return features
    .toSorted((a, b) => a.properties.updated - b.properties.updated || a.properties.time - b.properties.time)
    .map(({ properties: { time, updated, mag, place }, geometry: { coordinates } }) => {
      const [longitude, latitude, depth] = coordinates;
      const quake = { time: iso(time), updated: iso(updated), magnitude: mag, place, depth, longitude, latitude };
      return `${JSON.stringify(quake)}\n`;
    })
    .join('');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(earthquakesFile, earthquakeLines());
