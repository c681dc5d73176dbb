package postgres

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
)

var _ dump.Filler = (*Engine)(nil)

// Fill implements dump.Filler: a column travels as one array, so that a statement takes thousands of rows and the server
// plans it once. COPY would refuse a table with policies, and temporary tables are nobody's here. The commit does not wait
// for the disk.
func (e *Engine) Fill(ctx context.Context, tenant ids.Tenant, t dump.Table, rows [][]any) error {
	return e.Write(ctx, tenant, func(c engine.Conn) error { return c.(*conn).fill(e.schema, t, rows) })
}

// Settle implements dump.Filler: a commit that has something in the log, waits for the disk and with that for all before it.
func (e *Engine) Settle(ctx context.Context, tenant ids.Tenant) error {
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT pg_logical_emit_message(true, 'aver', 'filled')::text", nil, func([]any) error { return nil })
	})
}

func (c *conn) fill(schema string, t dump.Table, rows [][]any) error {
	c.batch().Queue("SET LOCAL synchronous_commit TO off")
	if err := c.Flush(); err != nil {
		return err
	}
	whose, err := hex.DecodeString(c.tenant)
	if err != nil {
		return err
	}
	names, arrays := []string{"tenant_id"}, []string{}
	values, types, formats := [][]byte{whose}, []uint32{pgtype.UUIDOID}, []int16{pgx.BinaryFormatCode} // its default would be worked out for every row
	for i, column := range t.Columns {
		kind, known := kinds[column.Kind]
		if !known {
			return fmt.Errorf("%w: a column's type", dump.ErrDamaged)
		}
		names = append(names, pgx.Identifier{column.Name}.Sanitize())
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", i+2, column.Kind))
		values = append(values, array(kind.one, rows, i))
		types, formats = append(types, kind.many), append(formats, pgx.BinaryFormatCode)
	}
	text := fmt.Sprintf("INSERT INTO %s (%s) SELECT $1::uuid, * FROM unnest(%s)", pgx.Identifier{schema, t.Name}.Sanitize(), strings.Join(names, ", "), strings.Join(arrays, ", "))
	if err := c.pg.PgConn().ExecParams(c.ctx, text, values, types, formats, nil).Read().Err; err != nil {
		c.lost = translate(c.ctx, err, c.pg.IsClosed())
		return c.lost
	}
	return nil
}

// kinds are the types that a dump's values have, and those of arrays of them.
var kinds = map[dump.Kind]struct{ one, many uint32 }{
	dump.UUID:  {pgtype.UUIDOID, pgtype.UUIDArrayOID},
	dump.Bytea: {pgtype.ByteaOID, pgtype.ByteaArrayOID},
	dump.Int:   {pgtype.Int8OID, pgtype.Int8ArrayOID},
	dump.Bool:  {pgtype.BoolOID, pgtype.BoolArrayOID},
	dump.Text:  {pgtype.TextOID, pgtype.TextArrayOID},
}

// array writes a column of the rows as PostgreSQL receives a one-dimensional array: dimensions, whether there are nulls,
// the type, length, lower bound, and each value after its length (array_recv).
func array(kind uint32, rows [][]any, column int) []byte {
	out := make([]byte, 0, 20+12*len(rows))
	for _, n := range []uint32{1, 1, kind, uint32(len(rows)), 1} {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	for _, row := range rows {
		switch v := row[column].(type) {
		case nil:
			out = binary.BigEndian.AppendUint32(out, 1<<32-1)
		case int64:
			out = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(out, 8), uint64(v))
		case bool:
			out = append(binary.BigEndian.AppendUint32(out, 1), map[bool]byte{true: 1}[v])
		case string:
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(v))), v...)
		case []byte:
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(v))), v...)
		}
	}
	return out
}
