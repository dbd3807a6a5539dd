/** One frame of a Kaifa meter (list 1), from hex to values, with nothing but the libraries. */
import { fromHex } from '@amiable/bytes';
import { createHanReader, explainHan } from '@amiable/meter';
import { messageToJson } from '@amiable/model';

const frame = fromHex(`
  7e a027 0102 0110 5a87 e6e7000f40000000 090c07e1090e04152122ff800000 02010600000398 8057 7e
`);

const reader = createHanReader(
  { reader: 'example', port: 'hex', now: Date.now },
  {
    message: (message) => console.log(messageToJson(message)),
    drop: (drop) => console.log(`dropped ${drop.length} bytes at ${drop.offset}: ${drop.reason}`),
  },
);
reader.push(frame);
reader.end();

console.log('\nWhat each byte is:');
for (const layer of explainHan(frame, {}))
  for (const field of layer.fields)
    console.log(`${String(field.offset).padStart(4)} ${String(field.length).padStart(3)}  ${field.text}`);
