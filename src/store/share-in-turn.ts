/** However often one thing is asked for in one turn of the event loop, it is asked for once. */
export function shareInTurn<Question, Answer>(
  ask: (question: Question, until: number) => Promise<Answer>,
  nameOf: (question: Question) => string,
): (question: Question, until: number) => Promise<Answer> {
  const asked = new Map<string, Promise<Answer>>();
  return (question, until) => {
    const name = nameOf(question);
    const known = asked.get(name);
    if (known) return known;
    if (asked.size === 0) queueMicrotask(() => asked.clear());
    const answer = ask(question, until);
    asked.set(name, answer);
    return answer;
  };
}
