package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// read hands every row on. After each returned an error it is not called again; the rest of the rows is dropped.
func read(rows pgx.Rows, each func(row []any) error) error {
	var row []any
	for rows.Next() {
		fields := rows.FieldDescriptions()
		if row == nil {
			row = make([]any, len(fields))
		}
		for i, raw := range rows.RawValues() {
			v, err := decode(fields[i].DataTypeOID, fields[i].Format, raw)
			if err != nil {
				return fmt.Errorf("column %s: %w", fields[i].Name, err)
			}
			row[i] = v
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// decode makes an engine's value of a column's bytes, which belong to the connection and are copied.
func decode(oid uint32, format int16, raw []byte) (any, error) {
	if raw == nil {
		return nil, nil
	}
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.NameOID, pgtype.UnknownOID:
		return string(raw), nil
	}
	if format != pgx.BinaryFormatCode {
		return nil, fmt.Errorf("type %d came as text", oid)
	}
	switch oid {
	case pgtype.ByteaOID, pgtype.UUIDOID:
		return append([]byte{}, raw...), nil
	case pgtype.Int8OID:
		return int64(binary.BigEndian.Uint64(raw)), nil
	case pgtype.Int4OID:
		return int64(int32(binary.BigEndian.Uint32(raw))), nil
	case pgtype.Int2OID:
		return int64(int16(binary.BigEndian.Uint16(raw))), nil
	case pgtype.BoolOID:
		return bytes.Equal(raw, []byte{1}), nil
	case pgtype.Float8OID:
		return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
	case pgtype.NumericOID:
		return wholeNumber(raw)
	}
	return nil, fmt.Errorf("type %d is none that an engine returns", oid)
}

// wholeNumber reads what PostgreSQL makes of SUM over integers, which elsewhere is an integer too.
func wholeNumber(raw []byte) (any, error) {
	var n pgtype.Numeric
	if err := pgtype.NewMap().Scan(pgtype.NumericOID, pgx.BinaryFormatCode, raw, &n); err != nil {
		return nil, err
	}
	text, err := n.Value()
	if err != nil {
		return nil, err
	}
	if i, err := strconv.ParseInt(text.(string), 10, 64); err == nil {
		return i, nil
	}
	return strconv.ParseFloat(text.(string), 64)
}

// strictUUID sends bytes to a uuid as they are. The library's own codec cuts or fills up what is not sixteen bytes long.
type strictUUID struct{ pgtype.UUIDCodec }

func (c strictUUID) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, isBytes := value.([]byte); isBytes {
		return sixteenBytes{format}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

type sixteenBytes struct{ format int16 }

func (p sixteenBytes) Encode(value any, out []byte) ([]byte, error) {
	id := value.([]byte)
	if len(id) != 16 || p.format != pgx.BinaryFormatCode {
		return nil, errors.New("an identifier has sixteen bytes")
	}
	return append(out, id...), nil
}
