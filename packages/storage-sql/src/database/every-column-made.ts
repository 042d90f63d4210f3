/** The statements of SQL texts. */
type Statements<Text> = Text extends `${infer First};${infer Rest}` ? First | Statements<Rest> : Text;

/** The texts of the migrations in a list. */
type Texts<Migrations extends readonly unknown[]> = Migrations[number] extends infer One
  ? One extends { readonly sql: infer Text }
    ? Text
    : never
  : never;

/** The name of a column of a drizzle table, as the database has it. */
type NameOf<Column> = Column extends { readonly _: { readonly name: infer Name extends string } } ? Name : never;

/** The statements that make a column of a table, or the whole table with it. */
type Making<Statement, Table extends string, Column extends string> = Extract<
  Statement,
  `${string} TABLE ${Table}${" " | "\n"}${string}${" " | "\n"}${Column} ${string}`
>;

type NotMadeOf<Table, Statement> = Table extends {
  readonly _: { readonly name: infer Name extends string; readonly columns: infer Columns };
}
  ? {
      [Key in keyof Columns]: [Making<Statement, Name, NameOf<Columns[Key]>>] extends [never] ? `${Name}.${NameOf<Columns[Key]>}` : never;
    }[keyof Columns]
  : never;

/**
 * `true` if the migrations of a list make every column of the drizzle tables; otherwise the columns, as `table.column`, that
 * none of them makes.
 */
export type EveryColumnMade<Tables, Migrations extends readonly unknown[]> = [NotMade<Tables, Migrations>] extends [never]
  ? true
  : NotMade<Tables, Migrations>;

type NotMade<Tables, Migrations extends readonly unknown[]> = NotMadeOf<Tables[keyof Tables], Statements<Texts<Migrations>>>;
