import { quoteName } from './statement.ts';

/** SQL in which `:schema` stands for the schema's name. */
export function inSchema(schema: string, text: string): string {
  return text.replaceAll(':schema', quoteName(schema));
}
