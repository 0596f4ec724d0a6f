import { type DocumentNode, visit } from 'graphql';

/** Bounds what the running operations of all sockets keep in memory together. */
export interface OperationBudget {
  /** Whether there is room for one more operation: if so it counts, by `key`, until it ends. */
  begin(key: object, document: DocumentNode, variableCharacters: number): boolean;
  /** An operation that never began, or has ended already, may end again. */
  end(key: object): void;
}

export interface OperationLimits {
  /** Bytes of the documents in use, each once, estimated: about 20,000 distinct ones of a usual subscription. */
  readonly maxDocumentBytes?: number | undefined;
  /** Characters of the variables of queries and mutations. */
  readonly maxVariableCharacters?: number | undefined;
}

export function createOperationBudget(limits: OperationLimits = {}): OperationBudget {
  const { maxDocumentBytes = 64 * 1024 * 1024, maxVariableCharacters = 32 * 1024 * 1024 } = limits;
  const running = new Map<object, { readonly document: DocumentNode; readonly characters: number }>();
  const uses = new Map<DocumentNode, number>();
  let documentBytes = 0;
  let variables = 0;

  function begin(key: object, document: DocumentNode, characters: number): boolean {
    const used = uses.get(document) ?? 0;
    const bytes = used === 0 ? bytesOf(document) : 0;
    if (documentBytes + bytes > maxDocumentBytes || variables + characters > maxVariableCharacters)
      return false;
    running.set(key, { document, characters });
    uses.set(document, used + 1);
    documentBytes += bytes;
    variables += characters;
    return true;
  }

  function end(key: object): void {
    const operation = running.get(key);
    if (!operation) return;
    running.delete(key);
    variables -= operation.characters;
    leave(operation.document);
  }

  function leave(document: DocumentNode): void {
    const left = (uses.get(document) ?? 0) - 1;
    if (left > 0) {
      uses.set(document, left);
    } else {
      uses.delete(document);
      documentBytes -= bytesOf(document);
    }
  }

  return { begin, end };
}

/** Measured: a parsed document takes 100 to 150 bytes for each node, besides its source. */
const bytesPerNode = 150;
const bytesPerCharacter = 2;
/** Every document is weighed once, while it is kept. */
const weights = new WeakMap<DocumentNode, number>();

function bytesOf(document: DocumentNode): number {
  const known = weights.get(document);
  if (known !== undefined) return known;
  const bytes = nodesOf(document) * bytesPerNode + (document.loc?.end ?? 0) * bytesPerCharacter;
  weights.set(document, bytes);
  return bytes;
}

function nodesOf(document: DocumentNode): number {
  let nodes = 0;
  visit(document, {
    enter: () => {
      nodes += 1;
    },
  });
  return nodes;
}
