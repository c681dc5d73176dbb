package postgres_test
import ("testing";"time";"aver/vault/postgres";"aver/vault/postgres/pgtest")
func TestAdhocQuiet(t *testing.T){
 e:=newDatabase(t).Open(t,postgres.StoreSchema,people); _ = pgtest.App
 news:=listen(t,e,"c"); time.Sleep(33*time.Second)
 if err:=e.Notify(t.Context(),"c","x");err!=nil{t.Fatal(err)}
 next(t,news,"x")
}
